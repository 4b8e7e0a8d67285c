// SPDX-License-Identifier: MIT
/*
 * fpu.h: setting up the FPU; what switches its state is in context.h.
 */
#ifndef ARCH_X86_64_FPU_H
#define ARCH_X86_64_FPU_H

/* Enable x87, SSE and, where the CPU has them, AVX and AVX-512. Called once, by cpu_init(). */
void fpu_init(void);

#endif

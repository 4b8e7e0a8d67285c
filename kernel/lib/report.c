// SPDX-License-Identifier: MIT
/*
 * report.c: the report port.
 */
#include "kernel/lib/report.h"
#include "arch/x86_64/machine.h"
#include "kernel/lib/params.h"
#include "kernel/lib/string.h"

#define LINE_SIZE 512
#define NO_PORT SERIAL_PORTS

static unsigned report_port = NO_PORT;

void report_init(void) { report_port = params_port("report", NO_PORT); }

void report_line(const char *fmt, ...)
{
    char line[LINE_SIZE];
    if (report_port == NO_PORT)
        return;
    va_list args;
    va_start(args, fmt);
    int length = vsnprintf(line, sizeof(line) - 1, fmt, args);
    va_end(args);
    size_t end = MIN((size_t)length, sizeof(line) - 2);
    line[end++] = '\n';
    serial_write(report_port, line, end);
}

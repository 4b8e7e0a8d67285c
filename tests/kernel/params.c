// SPDX-License-Identifier: MIT
/*
 * params.c: tests of the kernel's command line. The line that the machine was started with is put back
 * afterwards.
 */
#include "kernel/lib/params.h"

#include "kernel/lib/string.h"
#include "kernel/selftest.h"

static char saved[1024];

static void line_begin(const char *line)
{
    string_copy(saved, params_line(), sizeof(saved));
    params_init(line);
}

static void line_end(void)
{
    params_init(saved);
    EXPECT(params_string("selftest")); /* else these tests would not be running */
}

KTEST(params, strings)
{
    line_begin("  init=/bin/sh quiet  log=ttyS1 empty= log=ttyS2 logger=no");
    EXPECT_TEXT(params_string("init"), "/bin/sh");
    EXPECT_TEXT(params_string("quiet"), "");
    EXPECT_TEXT(params_string("empty"), "");
    EXPECT_TEXT(params_string("log"), "ttyS2"); /* the last one counts */
    EXPECT(!params_string("lo") && !params_string("absent"));
    EXPECT(!params_init_arg(0));
    line_end();
}

KTEST(params, truth_and_numbers)
{
    line_begin("zfod=off cow=0 a=no b c=on d=1 e=yes f=maybe n=42 x=0x20 bad=12k");
    EXPECT(!params_bool("zfod", true) && !params_bool("cow", true) && !params_bool("a", true));
    EXPECT(params_bool("b", false) && params_bool("c", false) && params_bool("d", false) &&
           params_bool("e", false));
    EXPECT(params_bool("f", true) && !params_bool("f", false));
    EXPECT(params_bool("absent", true) && !params_bool("absent", false));
    EXPECT_EQUAL(params_ulong("n", 7), 42);
    EXPECT_EQUAL(params_ulong("x", 7), 32);
    EXPECT_EQUAL(params_ulong("bad", 7), 7);
    EXPECT_EQUAL(params_ulong("absent", 7), 7);
    line_end();
}

KTEST(params, ports)
{
    line_begin("log=ttyS1 report=ttyS3 stderr=ttyS4 console=tty");
    EXPECT_EQUAL(params_port("log", 0), 1);
    EXPECT_EQUAL(params_port("report", 0), 3);
    EXPECT_EQUAL(params_port("stderr", 2), 2);
    EXPECT_EQUAL(params_port("console", 2), 2);
    line_end();
}

KTEST(params, arguments_of_init)
{
    line_begin("init=/bin/echo -- one \"two words\" log=ttyS3 -- \\\"four\\\"");
    EXPECT_TEXT(params_init_arg(0), "one");
    EXPECT_TEXT(params_init_arg(1), "two words");
    EXPECT_TEXT(params_init_arg(2), "log=ttyS3");
    EXPECT_TEXT(params_init_arg(3), "--");
    EXPECT_TEXT(params_init_arg(4), "\"four\"");
    EXPECT(!params_init_arg(5));
    EXPECT(!params_string("log")); /* behind the separator nothing is the kernel's */
    line_end();
}

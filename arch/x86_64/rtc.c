// SPDX-License-Identifier: MIT
/*
 * rtc.c: the MC146818's date and time (Motorola data sheet), read from the CMOS ports.
 */
#include "arch/x86_64/rtc.h"
#include "arch/x86_64/io.h"

#define CMOS_INDEX 0x70
#define CMOS_DATA 0x71

#define REG_SECOND 0
#define REG_MINUTE 2
#define REG_HOUR 4
#define REG_DAY 7
#define REG_MONTH 8
#define REG_YEAR 9
#define REG_A 0x0a
#define REG_B 0x0b

#define A_UPDATING 0x80
#define B_BINARY 0x04
#define B_24_HOURS 0x02
#define HOUR_PM 0x80

#define UPDATE_POLLS 100000 /* an absent clock must not hang the boot */

struct date {
    unsigned year, month, day, hour, minute, second;
};

static uint8_t cmos_read(uint8_t reg)
{
    io_out8(CMOS_INDEX, reg);
    return io_in8(CMOS_DATA);
}

static unsigned decode(uint8_t value, uint8_t mode)
{
    return mode & B_BINARY ? value : (value >> 4) * 10u + (value & 15);
}

static unsigned decode_hour(uint8_t value, uint8_t mode)
{
    if (mode & B_24_HOURS)
        return decode(value, mode);
    return decode(value & ~HOUR_PM, mode) % 12 + (value & HOUR_PM ? 12 : 0);
}

static struct date date_read(void)
{
    for (unsigned i = 0; i < UPDATE_POLLS && cmos_read(REG_A) & A_UPDATING; i++)
        ;
    uint8_t mode = cmos_read(REG_B);
    return (struct date){
        .second = decode(cmos_read(REG_SECOND), mode),
        .minute = decode(cmos_read(REG_MINUTE), mode),
        .hour = decode_hour(cmos_read(REG_HOUR), mode),
        .day = decode(cmos_read(REG_DAY), mode),
        .month = decode(cmos_read(REG_MONTH), mode),
        .year = 2000 + decode(cmos_read(REG_YEAR), mode), /* two digits: good until 2099 */
    };
}

/* Days from 1970-01-01, counting years from March so that the leap day comes last. */
static uint64_t days_of(const struct date *date)
{
    unsigned year = date->year - (date->month <= 2);
    unsigned month = (date->month + 9) % 12; /* March is 0 */
    uint64_t leap_days = year / 4 - year / 100 + year / 400;
    uint64_t days = 365ull * year + leap_days + (153 * month + 2) / 5 + date->day - 1;
    return days - 719468; /* from 0000-03-01 to 1970-01-01 */
}

uint64_t rtc_read(void)
{
    struct date date = date_read(), again = date_read();
    /* An update between two registers would show as a jump: two readings in the same second are whole. */
    while (date.second != again.second || date.minute != again.minute || date.hour != again.hour) {
        date = again;
        again = date_read();
    }
    return ((days_of(&date) * 24 + date.hour) * 60 + date.minute) * 60 + date.second;
}

/* cert_time.c: the times of certificates as text. */
#define _GNU_SOURCE /* timegm */

#include <stdio.h>
#include <time.h>

#include "bytes/bytes.h"
#include "bytes/sink.h"
#include "handfast_certificate.h"

static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

struct when {
    unsigned year, month, day, hour, minute, second; /* month from 1 */
};

/* ---- reading. By hand, since strptime reads the month in the language of the program's locale. */

static bool blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool blanks(const char **p)
{
    if (!blank(**p))
        return false;
    while (blank(**p))
        ++*p;
    return true;
}

static bool number(const char **p, unsigned least, unsigned most, unsigned *out)
{
    unsigned n = 0;
    *out = 0;
    for (; n < most && **p >= '0' && **p <= '9'; n++)
        *out = *out * 10 + (unsigned)(*(*p)++ - '0');
    return n >= least && !(**p >= '0' && **p <= '9');
}

static bool letter(const char **p, char c)
{
    if (**p != c)
        return false;
    ++*p;
    return true;
}

static bool month_name(const char **p, unsigned *out)
{
    for (unsigned i = 0; i < 12; i++) {
        const char *m = months[i];
        if (((*p)[0] | 0x20) == (m[0] | 0x20) && ((*p)[1] | 0x20) == m[1] &&
            ((*p)[2] | 0x20) == m[2]) {
            *p += 3;
            *out = i + 1;
            return true;
        }
    }
    return false;
}

static bool clock_time(const char **p, struct when *w)
{
    return number(p, 1, 2, &w->hour) && letter(p, ':') && number(p, 1, 2, &w->minute) &&
           letter(p, ':') && number(p, 1, 2, &w->second);
}

/* "Jan  5 09:34:43 2018 GMT" */
static bool read_asn1(const char *p, struct when *w)
{
    return month_name(&p, &w->month) && blanks(&p) && number(&p, 1, 2, &w->day) && blanks(&p) &&
           clock_time(&p, w) && blanks(&p) && number(&p, 4, 4, &w->year) && blanks(&p) &&
           (p[0] | 0x20) == 'g' && (p[1] | 0x20) == 'm' && (p[2] | 0x20) == 't' && !p[3];
}

/* "2018-01-05", "2018-01-05T09:34:43Z" */
static bool read_iso(const char *p, struct when *w)
{
    if (!number(&p, 4, 4, &w->year) || !letter(&p, '-') || !number(&p, 2, 2, &w->month) ||
        !letter(&p, '-') || !number(&p, 2, 2, &w->day))
        return false;
    if (!*p)
        return true;
    return (letter(&p, 'T') || letter(&p, 't') || letter(&p, ' ')) && clock_time(&p, w) &&
           (letter(&p, 'Z') || letter(&p, 'z')) && !*p;
}

static unsigned days_of(unsigned year, unsigned month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return (unsigned)days[month - 1] + (month == 2 && leap);
}

static bool check(const char *text, const struct when *w, hf_error *err)
{
    if (w->month < 1 || w->month > 12 || w->day < 1 || w->year < 1)
        return err_set(err, HF_E_CONFIG, "'%.60s' is no day of the calendar", text);
    if (w->day > days_of(w->year, w->month))
        return err_set(err, HF_E_CONFIG, "'%.60s': %s %u has %u days", text,
                       months[w->month - 1], w->year, days_of(w->year, w->month));
    /* 60 is a leap second; 61 is what strptime lets pass besides, and so Python's function. */
    if (w->hour > 23 || w->minute > 59 || w->second > 61)
        return err_set(err, HF_E_CONFIG, "'%.60s' is no time of the day", text);
    return true;
}

bool hf_cert_time_to_seconds(const char *text, int64_t *out, hf_error *err)
{
    struct when w = {0};
    err_begin(err);
    if (!text || !out)
        return err_set(err, HF_E_USAGE, "hf_cert_time_to_seconds: %s is NULL",
                       text ? "out" : "the text");
    bool iso = *text >= '0' && *text <= '9';
    if (!(iso ? read_iso(text, &w) : read_asn1(text, &w)))
        return err_set(err, HF_E_CONFIG,
                       "'%.60s' is no time as \"Jan  5 09:34:43 2018 GMT\", \"2018-01-05\" or "
                       "\"2018-01-05T09:34:43Z\"",
                       text);
    if (!check(text, &w, err))
        return false;
    struct tm tm = {.tm_year = (int)w.year - 1900,
                    .tm_mon = (int)w.month - 1,
                    .tm_mday = (int)w.day,
                    .tm_hour = (int)w.hour,
                    .tm_min = (int)w.minute,
                    .tm_sec = (int)w.second};
    *out = timegm(&tm);
    return true;
}

/* ---- writing */

size_t hf_cert_time(int64_t seconds, char *out, size_t size)
{
    struct sink s = {.out = out, .size = size};
    time_t t = (time_t)seconds;
    struct tm tm;
    if (gmtime_r(&t, &tm))
        sink_format(&s, "%s %2d %02d:%02d:%02d %lld GMT", months[tm.tm_mon], tm.tm_mday,
                    tm.tm_hour, tm.tm_min, tm.tm_sec, 1900LL + tm.tm_year);
    return sink_end(&s);
}

/* The shortest decimal of a double. */
#include "number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DIGITS = 17 };

/* The fewest significant digits of x > 0 that read back; their number, and
 * the exponent of the first into *exponent. */
static int shortest_digits(char *digits, int *exponent, double x) {
    char text[NUMBER_TEXT];
    for (int n = 1; n <= DIGITS; n++) {
        snprintf(text, sizeof text, "%.*e", n - 1, x);
        if (n == DIGITS || strtod(text, NULL) == x)
            break;
    }
    int n = 0;
    const char *s = text;
    /* whatever stands between the digits is the locale's decimal point */
    for (; *s != 'e'; s++) {
        if (*s >= '0' && *s <= '9')
            digits[n++] = *s;
    }
    *exponent = (int)strtol(s + 1, NULL, 10);
    return n;
}

/* Digits with a point after the first `whole` of them; zeros where they do
 * not reach. */
static char *plain_layout(char *out, const char *digits, int n, int whole) {
    if (whole <= 0) {
        *out++ = '0';
        *out++ = '.';
        for (int i = whole; i < 0; i++)
            *out++ = '0';
    }
    for (int i = 0; i < n || i < whole; i++) {
        if (i == whole && i > 0)
            *out++ = '.';
        *out++ = i < n ? digits[i] : '0';
    }
    return out;
}

char *number_text(char *out, double x) {
    if (isnan(x))
        return strcpy(out, "nan");
    char *end = out;
    if (signbit(x))
        *end++ = '-';
    if (isinf(x) || x == 0.0) {
        strcpy(end, x == 0.0 ? "0" : "inf");
        return out;
    }
    char digits[DIGITS];
    int exponent = 0;
    int n = shortest_digits(digits, &exponent, fabs(x));
    if (exponent > -5 && exponent < 16) {
        end = plain_layout(end, digits, n, exponent + 1);
        *end = '\0';
        return out;
    }
    end = plain_layout(end, digits, n, 1);
    snprintf(end, NUMBER_TEXT - (size_t)(end - out), "e%c%02d",
             exponent < 0 ? '-' : '+', abs(exponent));
    return out;
}

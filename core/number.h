/* Numbers as text: the shortest decimal that reads back as the same double. */
#ifndef WEFT_NUMBER_H
#define WEFT_NUMBER_H

/* What number_text writes at most, with its NUL. */
enum { NUMBER_TEXT = 32 };

/* The shortest digits that strtod reads back as x, laid out as Python's repr
 * does but for the trailing ".0": plain from 1e-4 to below 1e16, else with an
 * exponent of two digits at least; "nan", "inf", "-inf", "-0". `out` has
 * NUMBER_TEXT bytes. Returns out. */
char *number_text(char *out, double x);

#endif

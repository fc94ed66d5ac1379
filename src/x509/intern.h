/* intern.h: the table of parsed certificates. */
#ifndef X509_INTERN_H
#define X509_INTERN_H

#include "x509/certificate.h"

/* intern_clear empties the table and intern_count says how many it holds; used by tests only. */
void intern_clear(void);
size_t intern_count(void);

#define INTERN_CAPACITY 512

#endif

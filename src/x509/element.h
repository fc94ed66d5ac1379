/* element.h: the outermost structure of a certificate, without parsing it. */
#ifndef X509_ELEMENT_H
#define X509_ELEMENT_H

#include "bytes/bytes.h"

/* element_take takes one DER element off the front. want_tag is a universal tag (V_ASN1_), or -1 for
 * any; whole is the element with its header, content without; both may be NULL. */
bool element_take(struct slice *in, int want_tag, struct slice *whole, struct slice *content);

#endif

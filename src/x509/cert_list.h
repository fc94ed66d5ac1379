/* cert_list.h: building lists of certificates. */
#ifndef X509_CERT_LIST_H
#define X509_CERT_LIST_H

#include "handfast_certificate.h"

/* list_add_ref adds a certificate with a reference of its own; *room is the size of the list's memory, 0 at first.
 * false: no memory. */
bool list_add_ref(hf_certificate_list *list, size_t *room, hf_certificate *cert);

#endif

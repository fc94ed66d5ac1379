/* name.h: the names that a certificate was issued for, and whether the one asked for is among them
 * (RFC 9525). */
#ifndef X509_NAME_H
#define X509_NAME_H

#include "bytes/bytes.h"

/* The DNS names and addresses of subjectAltName, packed as kind, 16-bit length, bytes: a certificate
 * lives long and is searched often, so its names are one block of memory. */
enum name_kind { NAME_DNS = 1, NAME_IP = 2 };

struct names {
    uint8_t *p;
    size_t len;
    size_t count;
};

/* names_read takes them from an X509 *. false: the extension is malformed, or no memory. */
bool names_read(void *x509, struct names *out) __attribute__((warn_unused_result));
void names_clear(struct names *names);

/* name_is_dns: what a certificate may be issued for: labels of ASCII, perhaps with "*" as the first. */
bool name_is_dns(const char *name);

/* names_match: as cert_matches_name. */
bool names_match(const struct names *names, const char *wanted);

/* names_nearest writes the name that differs least from the one asked for, "" if there are none. */
void names_nearest(const struct names *names, const char *wanted, char *out, size_t size);

/* names_text writes "DNS:a, IP:10.0.0.1" as far as it fits, then ", and N more"; returns whether all
 * fitted. */
bool names_text(const struct names *names, char *out, size_t size);

#endif

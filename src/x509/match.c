/* match.c: whom a certificate is for, as a question of its own. */
#include <openssl/err.h>
#include <openssl/objects.h>
#include <stdio.h>

#include "handfast_certificate.h"
#include "x509/certificate.h"

#define COMMON_NAME_MAX 253

/* The one name as names_match wants it: kind, length, bytes. */
static bool matches_common_name(const X509_NAME_ENTRY *e, const char *host)
{
    unsigned char *utf8 = NULL;
    uint8_t packed[3 + COMMON_NAME_MAX];
    int n = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(e));
    bool fits = n > 0 && n <= COMMON_NAME_MAX;
    if (fits) {
        packed[0] = NAME_DNS;
        put_u16(packed + 1, (uint16_t)n);
        memcpy(packed + 3, utf8, (size_t)n);
    }
    OPENSSL_free(utf8);
    ERR_clear_error();
    struct names one = {packed, fits ? 3 + (size_t)n : 0, fits ? 1 : 0};
    return fits && names_match(&one, host);
}

static bool has_common_name(const hf_certificate *cert, const char *host)
{
    const X509_NAME *subject = X509_get_subject_name(cert->x509);
    for (int i = -1; (i = X509_NAME_get_index_by_NID(subject, NID_commonName, i)) >= 0;) {
        if (matches_common_name(X509_NAME_get_entry(subject, i), host))
            return true;
    }
    return false;
}

bool hf_certificate_matches(const hf_certificate *cert, const char *host, unsigned flags,
                            hf_error *err)
{
    char list[160];
    err_begin(err);
    if (!cert || cert_is_raw(cert) || !host)
        return err_set(err, HF_E_USAGE, "hf_certificate_matches: %s",
                       host ? "there is no certificate" : "host is NULL");
    if (flags & ~(unsigned)HF_MATCH_COMMON_NAME)
        return err_set(err, HF_E_USAGE, "hf_certificate_matches: 0x%x are no flags", flags);
    bool by_common_name =
        (flags & HF_MATCH_COMMON_NAME) && cert->names.count == 0 && !name_is_ip(host);
    if (names_match(&cert->names, host) || (by_common_name && has_common_name(cert, host)))
        return true;
    if (cert->names.count == 0)
        return err_set(err, HF_E_WRONG_NAME,
                       "asked for '%.80s'; the certificate has no DNS name or address in its "
                       "subjectAltName, and its subject is '%.60s'",
                       host, hf_certificate_subject(cert));
    bool all = names_text(&cert->names, list, sizeof list);
    err_set(err, HF_E_WRONG_NAME, "asked for '%.60s'; the certificate is for %s", host, list);
    if (err && !all)
        err->truncated = true;
    return false;
}

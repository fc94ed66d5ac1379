/* ocsp.c: the stapled response (RFC 6960, RFC 6066 8) and the demand for one (RFC 7633). */
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <stdio.h>

#include "x509/verify.h"

/* Clocks of responders and clients differ. */
#define SKEW 300
/* A response without nextUpdate says that newer ones are always to be had (RFC 6960 4.2.2.1); stapled,
 * it could be replayed for ever, so it ages. */
#define AGE_WITHOUT_NEXT (7 * 86400)

/* libcrypto's X509_V_ERR_OCSP_VERIFY_FAILED stands for all that is wrong with a response. */
#define bad(v, ...) refuse((v), HF_E_BAD_OCSP, X509_V_ERR_OCSP_VERIFY_FAILED, 0, __VA_ARGS__)

/* ---- who answers */

static bool same_cert(X509 *x, const hf_certificate *c)
{
    return X509_cmp(x, c->x509) == 0;
}

/* RFC 6960 4.2.2.2: a responder whom the issuer has authorised, by a certificate that it issued
 * itself, for the one purpose of signing responses. */
static bool check_delegate(struct verification *v, X509 *x, const hf_certificate *issuer)
{
    int64_t from, until;
    EVP_PKEY *key = X509_get0_pubkey(issuer->x509);
    if (X509_check_issued(issuer->x509, x) != X509_V_OK || !key || X509_verify(x, key) != 1)
        return bad(v, "the OCSP responder's certificate is not signed by '%.100s'",
                   hf_certificate_subject(issuer));
    if (!(X509_get_extension_flags(x) & EXFLAG_XKUSAGE) ||
        !(X509_get_extended_key_usage(x) & XKU_OCSP_SIGN))
        return bad(v, "the OCSP responder's certificate has no extendedKeyUsage OCSPSigning");
    if (!(X509_get_key_usage(x) & KU_DIGITAL_SIGNATURE))
        return bad(v, "the OCSP responder's certificate may not sign (keyUsage)");
    if (signature_is_weak(x) || EVP_PKEY_get_security_bits(X509_get0_pubkey(x)) < 112)
        return bad(v, "the OCSP responder's key or certificate is too weak");
    if (!time_from_asn1(X509_get0_notBefore(x), &from) ||
        !time_from_asn1(X509_get0_notAfter(x), &until) || v->options->now < from ||
        v->options->now > until)
        return bad(v, "the OCSP responder's certificate is expired or not valid yet");
    narrow(v, from, until);
    return true;
}

static bool check_signer(struct verification *v, OCSP_BASICRESP *basic, X509 *signer,
                         const hf_certificate *issuer)
{
    STACK_OF(X509) *only = sk_X509_new_null();
    if (!only || !sk_X509_push(only, signer)) {
        sk_X509_free(only);
        return err_set(v->err, HF_E_NO_MEMORY, "OCSP response");
    }
    /* This signer and nobody else, whom we have judged ourselves: libcrypto does the arithmetic. */
    int ok = OCSP_basic_verify(basic, only, NULL, OCSP_TRUSTOTHER | OCSP_NOINTERN);
    sk_X509_free(only);
    if (ok != 1)
        return bad(v, "the OCSP response's signature is wrong");
    return same_cert(signer, issuer) || check_delegate(v, signer, issuer);
}

bool signature_is_weak(X509 *x509)
{
    int bits = 0;
    return !X509_get_signature_info(x509, NULL, NULL, &bits, NULL) || bits < 112;
}

static bool weak_answer(const OCSP_BASICRESP *basic)
{
    const ASN1_OBJECT *oid = NULL;
    int digest = NID_undef;
    X509_ALGOR_get0(&oid, NULL, NULL, OCSP_resp_get0_tbs_sigalg(basic));
    return OBJ_find_sigid_algs(OBJ_obj2nid(oid), &digest, NULL) &&
           (digest == NID_sha1 || digest == NID_md5);
}

static bool check_signature(struct verification *v, OCSP_BASICRESP *basic,
                            const hf_certificate *issuer)
{
    STACK_OF(X509) *more = sk_X509_new_null();
    X509 *signer = NULL;
    if (!more || !sk_X509_push(more, issuer->x509)) {
        sk_X509_free(more);
        return err_set(v->err, HF_E_NO_MEMORY, "OCSP response");
    }
    int found = OCSP_resp_get0_signer(basic, &signer, more);
    sk_X509_free(more);
    if (found != 1)
        return bad(v,
                   "the OCSP response is signed neither by '%.80s' nor by a responder whose "
                   "certificate it contains",
                   hf_certificate_subject(issuer));
    if (weak_answer(basic))
        return bad(v, "the OCSP response is signed with a digest that is too weak");
    return check_signer(v, basic, signer, issuer);
}

/* ---- what is answered */

/* The answer that is about our certificate: its ID is made with a digest of the responder's choice. */
static OCSP_SINGLERESP *find_single(OCSP_BASICRESP *basic, const hf_certificate *own,
                                    const hf_certificate *issuer)
{
    int count = OCSP_resp_count(basic);
    /* A hostile response may list anything; responders send one. */
    for (int i = 0; i < count && i < 32; i++) {
        OCSP_SINGLERESP *single = OCSP_resp_get0(basic, i);
        const OCSP_CERTID *id = OCSP_SINGLERESP_get0_id(single);
        ASN1_OBJECT *oid = NULL;
        OCSP_id_get0_info(NULL, &oid, NULL, NULL, (OCSP_CERTID *)(uintptr_t)id);
        const EVP_MD *md = EVP_get_digestbyobj(oid);
        OCSP_CERTID *ours = md ? OCSP_cert_to_id(md, own->x509, issuer->x509) : NULL;
        bool same = ours && OCSP_id_cmp(ours, id) == 0;
        OCSP_CERTID_free(ours);
        if (same)
            return single;
    }
    return NULL;
}

static bool check_times(struct verification *v, const ASN1_GENERALIZEDTIME *this_update,
                        const ASN1_GENERALIZEDTIME *next_update)
{
    int64_t from, until, now = v->options->now;
    char when[40], span[40];
    if (!time_from_asn1(this_update, &from) ||
        (next_update && !time_from_asn1(next_update, &until)))
        return bad(v, "thisUpdate or nextUpdate of the OCSP response is not a time");
    text_time(from, when, sizeof when);
    if (from > now + SKEW)
        return bad(v, "the OCSP response is from the future: thisUpdate is %s", when);
    if (!next_update) {
        text_span(now - from, span, sizeof span);
        if (now - from > AGE_WITHOUT_NEXT)
            return bad(v, "the OCSP response has no nextUpdate and is %s old", span);
        narrow(v, from - SKEW, from + AGE_WITHOUT_NEXT);
        return true;
    }
    text_time(until, when, sizeof when);
    text_span(now - until, span, sizeof span);
    if (until < from)
        return bad(v, "nextUpdate of the OCSP response is before thisUpdate");
    if (now - SKEW > until)
        return bad(v, "the OCSP response is out of date: nextUpdate was %s, %s ago", when,
                   span);
    narrow(v, from - SKEW, until + SKEW);
    return true;
}

static bool check_status(struct verification *v, OCSP_SINGLERESP *single)
{
    int reason = -1;
    int64_t at = 0;
    char when[40] = "an unknown time";
    ASN1_GENERALIZEDTIME *revoked = NULL, *this_update = NULL, *next_update = NULL;
    int status = OCSP_single_get0_status(single, &reason, &revoked, &this_update, &next_update);
    if (!check_times(v, this_update, next_update))
        return false;
    if (status == V_OCSP_CERTSTATUS_GOOD)
        return true;
    if (status != V_OCSP_CERTSTATUS_REVOKED)
        return bad(v, "the OCSP responder does not know the certificate");
    if (time_from_asn1(revoked, &at))
        text_time(at, when, sizeof when);
    return refuse(v, HF_E_REVOKED, X509_V_ERR_CERT_REVOKED, 0, "'%.80s' was revoked on %s%s%s",
                  hf_certificate_subject(v->path[0]), when, reason >= 0 ? ", reason: " : "",
                  reason >= 0 ? OCSP_crl_reason_str(reason) : "");
}

static bool check_answer(struct verification *v, OCSP_BASICRESP *basic,
                         const hf_certificate *issuer)
{
    OCSP_SINGLERESP *single = find_single(basic, v->path[0], issuer);
    if (!single)
        return bad(v, "the OCSP response is not about the peer's certificate (serial %.60s)",
                   hf_certificate_serial(v->path[0]));
    return check_signature(v, basic, issuer) && check_status(v, single);
}

/* ---- the response as a whole */

static bool demanded(const struct verification *v)
{
    return v->options->require_ocsp ||
           (v->path[0]->must_staple && v->options->server && !v->options->ocsp_not_asked);
}

static bool missing(struct verification *v, const char *what)
{
    if (!demanded(v))
        return true;
    return refuse(v, HF_E_NO_OCSP, X509_V_ERR_OCSP_VERIFY_NEEDED, 0, "%s, and %s asks for one",
                  what,
                  v->options->require_ocsp ? "the configuration"
                                           : "the certificate's TLS feature extension");
}

/* The issuer on the path; a certificate that is its own anchor may have come with its issuer. */
static const hf_certificate *issuer_of(const struct verification *v)
{
    if (v->count > 1)
        return v->path[1];
    for (size_t i = 1; i < v->chain->count; i++) {
        const hf_certificate *c = v->chain->cert[i];
        if (cert_issued(c, v->path[0]) && issuer_signed(c, v->path[0]))
            return c;
    }
    return v->path[0]->self_issued ? v->path[0] : NULL;
}

static OCSP_RESPONSE *parse(struct slice der)
{
    const unsigned char *p = der.p;
    OCSP_RESPONSE *resp =
        der.len <= INT32_MAX ? d2i_OCSP_RESPONSE(NULL, &p, (long)der.len) : NULL;
    if (resp && p == der.p + der.len)
        return resp;
    OCSP_RESPONSE_free(resp);
    return NULL;
}

static bool judge(struct verification *v, OCSP_RESPONSE *resp)
{
    char text[80];
    int status = OCSP_response_status(resp);
    /* "tryLater" and its like say nothing about the certificate, and whoever could replace a good
     * response by one could as well leave it out: the same as none. */
    if (status != OCSP_RESPONSE_STATUS_SUCCESSFUL) {
        snprintf(text, sizeof text, "the OCSP responder answered only \"%.40s\"",
                 OCSP_response_status_str(status));
        return missing(v, text);
    }
    const hf_certificate *issuer = issuer_of(v);
    if (!issuer)
        return missing(v,
                       "the OCSP response cannot be checked without the issuer's certificate");
    OCSP_BASICRESP *basic = OCSP_response_get1_basic(resp);
    bool ok = basic ? check_answer(v, basic, issuer)
                    : bad(v, "the OCSP response is not of the basic type");
    OCSP_BASICRESP_free(basic);
    return ok;
}

bool ocsp_check(struct verification *v)
{
    if (v->options->ocsp.len == 0)
        return missing(v, "no OCSP response is stapled");
    OCSP_RESPONSE *resp = parse(v->options->ocsp);
    bool ok = resp ? judge(v, resp)
                   : bad(v, "the %zu bytes are not an OCSP response", v->options->ocsp.len);
    OCSP_RESPONSE_free(resp);
    ERR_clear_error();
    return ok;
}

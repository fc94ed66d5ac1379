/* compression.c: compression methods. None is ever used; the functions answer as those of a build without zlib. */
#include "libssl/local.h"

#include <openssl/comp.h>

struct ssl_comp_st {
    int id;
    const char *name;
    COMP_METHOD *method;
};

static STACK_OF(SSL_COMP) * methods;
static CRYPTO_ONCE methods_once = CRYPTO_ONCE_STATIC_INIT;

static void make_methods(void)
{
    methods = sk_SSL_COMP_new_null();
}

STACK_OF(SSL_COMP) * SSL_COMP_get_compression_methods(void)
{
    if (!CRYPTO_THREAD_run_once(&methods_once, make_methods))
        return NULL;
    return methods;
}

STACK_OF(SSL_COMP) * SSL_COMP_set0_compression_methods(STACK_OF(SSL_COMP) * meths)
{
    STACK_OF(SSL_COMP) *old = SSL_COMP_get_compression_methods();
    methods = meths;
    return old;
}

enum { PRIVATE_FIRST = 193, PRIVATE_LAST = 255 }; /* RFC 3749 2 */

int SSL_COMP_add_compression_method(int id, COMP_METHOD *cm)
{
    if (!cm || COMP_get_type(cm) == NID_undef)
        return 1;
    if (id < PRIVATE_FIRST || id > PRIVATE_LAST) {
        raise_ssl(SSL_R_COMPRESSION_ID_NOT_WITHIN_PRIVATE_RANGE);
        return 1;
    }
    STACK_OF(SSL_COMP) *all = SSL_COMP_get_compression_methods();
    for (int i = 0; i < sk_SSL_COMP_num(all); i++) {
        if (sk_SSL_COMP_value(all, i)->id == id) {
            raise_ssl(SSL_R_DUPLICATE_COMPRESSION_ID);
            return 1;
        }
    }
    SSL_COMP *comp = OPENSSL_zalloc(sizeof *comp);
    if (!comp || !all) {
        OPENSSL_free(comp);
        raise_ssl(ERR_R_MALLOC_FAILURE);
        return 1;
    }
    comp->id = id;
    comp->name = COMP_get_name(cm);
    comp->method = cm;
    if (sk_SSL_COMP_push(all, comp) <= 0) {
        OPENSSL_free(comp);
        raise_ssl(ERR_R_MALLOC_FAILURE);
        return 1;
    }
    return 0;
}

const char *SSL_COMP_get_name(const COMP_METHOD *comp)
{
    return comp ? COMP_get_name(comp) : NULL;
}

const char *SSL_COMP_get0_name(const SSL_COMP *comp)
{
    return comp->name;
}

int SSL_COMP_get_id(const SSL_COMP *comp)
{
    return comp->id;
}

const COMP_METHOD *SSL_get_current_compression(const SSL *s)
{
    (void)s;
    return NULL;
}

const COMP_METHOD *SSL_get_current_expansion(const SSL *s)
{
    (void)s;
    return NULL;
}

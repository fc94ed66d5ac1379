#include "x509/trust.h"

#include <pthread.h>
#include <stdio.h>

/* A trust is a few sets and folders; programs that add each of a hundred files one by one are served
 * by growing. */
struct hf_trust {
    _Atomic int refs;
    _Atomic uint64_t generation; /* 0: not frozen yet */
    size_t set_count, set_size, folder_count, folder_size;
    struct anchors **set;
    struct folder **folder;
    struct crls crls;
    size_t key_count, key_size;
    uint8_t (*key)[CERT_HASH]; /* SHA-256 of trusted SubjectPublicKeyInfos */
    uint8_t *authorities;
    size_t authorities_len;
};

hf_trust *hf_trust_new(void)
{
    hf_trust *trust = mem_new(sizeof *trust);
    if (trust)
        atomic_init(&trust->refs, 1);
    return trust;
}

hf_trust *hf_trust_ref(hf_trust *trust)
{
    if (trust)
        atomic_fetch_add_explicit(&trust->refs, 1, memory_order_relaxed);
    return trust;
}

void hf_trust_free(hf_trust *trust)
{
    if (!trust || atomic_fetch_sub_explicit(&trust->refs, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < trust->set_count; i++)
        anchors_free(trust->set[i]);
    for (size_t i = 0; i < trust->folder_count; i++)
        folder_free(trust->folder[i]);
    crls_clear(&trust->crls);
    mem_free(trust->key);
    mem_free(trust->set);
    mem_free(trust->folder);
    mem_free(trust->authorities);
    mem_free(trust);
}

/* ---- adding */

static bool changeable(const hf_trust *trust, hf_error *err)
{
    if (atomic_load_explicit(&trust->generation, memory_order_acquire) == 0)
        return true;
    return err_set(err, HF_E_FROZEN, "a configuration uses these trust anchors already");
}

/* Makes room for one more pointer. */
static bool grow(void ***list, size_t count, size_t *size, hf_error *err)
{
    if (count < *size)
        return true;
    size_t more = *size ? 2 * *size : 4;
    void **p = mem_new(more * sizeof *p);
    if (!p)
        return err_set(err, HF_E_NO_MEMORY, "trust anchors");
    if (count)
        memcpy(p, *list, count * sizeof *p);
    mem_free(*list);
    *list = p;
    *size = more;
    return true;
}

/* Takes the set, also when it fails. */
static bool add_set(hf_trust *trust, struct anchors *set, hf_error *err)
{
    void **list = (void **)trust->set;
    if (!set || !grow(&list, trust->set_count, &trust->set_size, err)) {
        anchors_free(set);
        return false;
    }
    trust->set = (struct anchors **)list;
    trust->set[trust->set_count++] = set;
    return true;
}

static bool add_folder(hf_trust *trust, struct folder *folder, hf_error *err)
{
    void **list = (void **)trust->folder;
    if (!folder || !grow(&list, trust->folder_count, &trust->folder_size, err)) {
        folder_free(folder);
        return false;
    }
    trust->folder = (struct folder **)list;
    trust->folder[trust->folder_count++] = folder;
    return true;
}

bool hf_trust_add_platform(hf_trust *trust, hf_error *err)
{
    if (!changeable(trust, err))
        return false;
    const struct platform *p = platform_load(err);
    if (!p || (p->bundle && !add_set(trust, anchors_ref(p->bundle), err)))
        return false;
    for (size_t i = 0; i < p->folder_count; i++) {
        if (!add_folder(trust, folder_ref(p->folder[i]), err))
            return false;
    }
    return true;
}

bool trust_add_source(hf_trust *trust, const struct source *s, hf_error *err)
{
    return changeable(trust, err) && add_set(trust, anchors_load(s, true, err), err);
}

bool trust_add_lists(hf_trust *trust, const struct source *s, hf_error *err)
{
    return changeable(trust, err) && crls_add(&trust->crls, s, err);
}

bool hf_trust_add_file(hf_trust *trust, const char *path, hf_error *err)
{
    uint8_t *bytes;
    size_t len;
    if (!changeable(trust, err) || !file_read(path, &bytes, &len, err))
        return false;
    struct source s = {path, bytes, len};
    struct anchors *set = anchors_load(&s, true, err);
    mem_free(bytes);
    return add_set(trust, set, err);
}

bool hf_trust_add_folder(hf_trust *trust, const char *path, hf_error *err)
{
    return changeable(trust, err) && add_folder(trust, folder_new(path, err), err);
}

bool hf_trust_add_memory(hf_trust *trust, const void *bytes, size_t len, hf_error *err)
{
    struct source s = {"memory", bytes, bytes ? len : 0};
    return trust_add_source(trust, &s, err);
}

bool hf_trust_add_crls_file(hf_trust *trust, const char *path, hf_error *err)
{
    uint8_t *bytes;
    size_t len;
    if (!changeable(trust, err) || !file_read(path, &bytes, &len, err))
        return false;
    struct source s = {path, bytes, len};
    bool ok = crls_add(&trust->crls, &s, err);
    mem_free(bytes);
    return ok;
}

bool hf_trust_add_crls_memory(hf_trust *trust, const void *bytes, size_t len, hf_error *err)
{
    struct source s = {"memory", bytes, bytes ? len : 0};
    return trust_add_lists(trust, &s, err);
}

static bool add_key(struct slice der, unsigned line, void *arg, hf_error *err)
{
    hf_trust *trust = arg;
    hf_error inner = {0};
    hf_certificate *key = raw_key_from_spki(der, &inner);
    if (!key)
        return line ? err_set(err, inner.code == HF_E_NO_MEMORY ? inner.code : HF_E_PEM,
                              "the public key on line %u: %s", line, inner.detail)
                    : err_set(err, inner.code == HF_E_NO_MEMORY ? inner.code : HF_E_PEM, "%s",
                              inner.detail);
    if (trust->key_count == trust->key_size) {
        size_t more = trust->key_size ? 2 * trust->key_size : 4;
        uint8_t(*list)[CERT_HASH] = mem_new(more * sizeof *list);
        if (!list) {
            hf_certificate_free(key);
            return err_set(err, HF_E_NO_MEMORY, "trusted keys");
        }
        if (trust->key_count)
            memcpy(list, trust->key, trust->key_count * sizeof *list);
        mem_free(trust->key);
        trust->key = list;
        trust->key_size = more;
    }
    memcpy(trust->key[trust->key_count++], hf_certificate_key_sha256(key), CERT_HASH);
    hf_certificate_free(key);
    return true;
}

/* All of them, or none. */
static bool add_keys(hf_trust *trust, const struct source *s, hf_error *err)
{
    size_t before = trust->key_count;
    if (blocks_each(s, &key_blocks, add_key, trust, err))
        return true;
    trust->key_count = before;
    return false;
}

bool hf_trust_add_keys_file(hf_trust *trust, const char *path, hf_error *err)
{
    uint8_t *bytes;
    size_t len;
    err_begin(err);
    if (!changeable(trust, err) || !file_read(path, &bytes, &len, err))
        return false;
    struct source s = {path, bytes, len};
    bool ok = add_keys(trust, &s, err);
    mem_free(bytes);
    return ok;
}

bool hf_trust_add_keys_memory(hf_trust *trust, const void *bytes, size_t len, hf_error *err)
{
    struct source s = {"memory", bytes, bytes ? len : 0};
    err_begin(err);
    return changeable(trust, err) && add_keys(trust, &s, err);
}

/* ---- freezing */

static bool name_known(const uint8_t *p, const uint8_t *end, struct slice name)
{
    for (; p < end; p += 2 + get_u16(p)) {
        if (slice_equal(slice_of(p + 2, get_u16(p)), name))
            return true;
    }
    return false;
}

/* opaque DistinguishedName<1..2^16-1>, one after the other (RFC 8446 4.2.4); out NULL: only count.
 * Returns 0 if all do not fit the extension: half a list would hide authorities from the peer. */
static size_t list_authorities(const hf_trust *trust, uint8_t *out)
{
    size_t len = 0;
    for (size_t i = 0; i < trust->set_count; i++) {
        for (size_t j = 0; j < trust->set[i]->count; j++) {
            struct slice name = trust->set[i]->anchor[j].subject;
            if (out && name_known(out, out + len, name))
                continue;
            if (out) {
                put_u16(out + len, (uint16_t)name.len);
                memcpy(out + len + 2, name.p, name.len);
            }
            len += 2 + name.len;
            if (len > 0xffff)
                return 0;
        }
    }
    return len;
}

static bool freeze(hf_trust *trust, hf_error *err)
{
    /* 0 is "not frozen"; 2^64 of them will not be made. */
    static _Atomic uint64_t last_generation;
    size_t len = list_authorities(trust, NULL);
    if (len) {
        trust->authorities = mem_new(len);
        if (!trust->authorities)
            return err_set(err, HF_E_NO_MEMORY, "names of the trust anchors");
        trust->authorities_len = list_authorities(trust, trust->authorities);
    }
    atomic_store_explicit(&trust->generation, atomic_fetch_add(&last_generation, 1) + 1,
                          memory_order_release);
    return true;
}

bool trust_freeze(hf_trust *trust, hf_error *err)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    if (trust_generation(trust))
        return true;
    pthread_mutex_lock(&lock);
    bool ok = trust_generation(trust) || freeze(trust, err);
    pthread_mutex_unlock(&lock);
    return ok;
}

struct slice trust_authorities(const hf_trust *trust)
{
    return slice_of(trust->authorities, trust->authorities_len);
}

/* ---- use */

uint64_t trust_generation(const hf_trust *trust)
{
    return atomic_load_explicit(&trust->generation, memory_order_acquire);
}

struct found trust_find(const hf_trust *trust, const X509_NAME *name, unsigned uses)
{
    struct found found = {.count = 0};
    for (size_t i = 0; i < trust->set_count; i++)
        anchors_find(trust->set[i], name, uses, &found);
    for (size_t i = 0; i < trust->folder_count; i++)
        folder_find(trust->folder[i], name, uses, &found);
    return found;
}

bool trust_has_keys(const hf_trust *trust)
{
    return trust && trust->key_count > 0;
}

bool trust_has_key(const hf_trust *trust, const hf_certificate *raw)
{
    for (size_t i = 0; trust && i < trust->key_count; i++) {
        if (memcmp(trust->key[i], raw->key_sha256, CERT_HASH) == 0)
            return true;
    }
    return false;
}

bool trust_each_crl(const hf_trust *trust, const X509_NAME *issuer, int64_t now, crl_fn fn,
                    void *arg)
{
    for (size_t i = 0; i < trust->crls.count; i++) {
        if (crl_is_by(&trust->crls.crl[i], issuer) && !fn(&trust->crls.crl[i], arg))
            return false;
    }
    for (size_t i = 0; i < trust->folder_count; i++) {
        if (!folder_each_crl(trust->folder[i], issuer, now, fn, arg))
            return false;
    }
    return true;
}

bool trust_each(const hf_trust *trust, anchor_fn fn, void *arg)
{
    for (size_t i = 0; i < trust->set_count; i++) {
        if (!anchors_each(trust->set[i], fn, arg))
            return false;
    }
    for (size_t i = 0; i < trust->folder_count; i++) {
        if (!folder_each(trust->folder[i], fn, arg))
            return false;
    }
    return true;
}

bool trust_each_list(const hf_trust *trust, crl_fn fn, void *arg)
{
    for (size_t i = 0; i < trust->crls.count; i++) {
        if (!fn(&trust->crls.crl[i], arg))
            return false;
    }
    for (size_t i = 0; i < trust->folder_count; i++) {
        if (!folder_each_list(trust->folder[i], fn, arg))
            return false;
    }
    return true;
}

/* Adds to a text of several places; after the second they are only counted. */
struct places {
    char *out;
    size_t size, len, shown, more;
};

static void place(struct places *p, const char *what, const char *path)
{
    if (p->shown >= 3) {
        p->more++;
        return;
    }
    int n =
        snprintf(p->out + p->len, p->size - p->len, "%s%s%s", p->shown ? ", " : "", what, path);
    p->len += n > 0 && (size_t)n < p->size - p->len ? (size_t)n : 0;
    p->shown++;
}

void trust_describe(const hf_trust *trust, char *out, size_t size)
{
    struct places p = {out, size, 0, 0, 0};
    out[0] = 0;
    for (size_t i = 0; i < trust->set_count; i++) {
        char what[48];
        size_t n = trust->set[i]->count;
        snprintf(what, sizeof what, "%zu anchor%s of ", n, n == 1 ? "" : "s");
        place(&p, what, trust->set[i]->origin);
    }
    for (size_t i = 0; i < trust->folder_count; i++)
        place(&p, "the folder ", folder_path(trust->folder[i]));
    if (p.more && size - p.len > 24)
        snprintf(out + p.len, size - p.len, " and %zu more", p.more);
    if (!p.shown)
        snprintf(out, size, "no trust anchors at all");
}

/* ciphers.c: OpenSSL's language for lists of cipher suites. A string is a sequence of rules
 * over one list of all suites, each of which is active or not:
 *
 *   WORD   the suites that match become active and go to the end, if they were not active
 *   +WORD  active ones that match go to the end
 *   -WORD  active ones that match become inactive, and go to the front, where later words find
 * them !WORD  those that match are gone for good
 *
 * and the active ones are the result. WORD is several joined by +, all of which must match. */
#include "config/ciphers.h"

#include <stdlib.h>

/* ---- what words stand for */

/* A suite has one bit of most masks; a word those of all that it matches, 0 for any. */
enum { KX, AU, ENC, MAC, STRONG, RESERVE, MASKS };

#define BIT(x) (1U << (x))

/* What no suite of ours has. */
#define NONE_OF_OURS  BIT(31)

#define ANY_PSK       (BIT(KEX_PSK) | BIT(KEX_ECDHE_PSK) | BIT(KEX_DHE_PSK) | NONE_OF_OURS)
#define NOT_ANONYMOUS (~BIT(AUTH_NONE))

enum cipher {
    AES128,
    AES256,
    GCM128,
    GCM256,
    CCM128,
    CCM256,
    CCM8_128,
    CCM8_256,
    CHACHA,
    NULL_CIPHER
};

#define ANY_GCM  (BIT(GCM128) | BIT(GCM256))
#define ANY_CCM8 (BIT(CCM8_128) | BIT(CCM8_256))
#define ANY_CCM  (BIT(CCM128) | BIT(CCM256) | ANY_CCM8)
#define ANY_CBC  (BIT(AES128) | BIT(AES256))
#define ANY_128  (BIT(AES128) | BIT(GCM128) | BIT(CCM128) | BIT(CCM8_128))
#define ANY_256  (BIT(AES256) | BIT(GCM256) | BIT(CCM256) | BIT(CCM8_256))
#define ANY_AES  (ANY_128 | ANY_256)

enum { NO_STRENGTH, LOW, MEDIUM, HIGH, FIPS };

#define SSL3 0x0300 /* where a suite was born; nobody speaks it */

struct filter {
    uint32_t mask[MASKS];
    uint16_t version, id; /* 0: any */
};

struct word {
    const char *name;
    struct filter filter;
};

/* clang-format off */
static const struct word words[] = {
    {"ALL",                 {.mask = {[ENC] = ~BIT(NULL_CIPHER)}}},
    {"COMPLEMENTOFALL",     {.mask = {[ENC] = BIT(NULL_CIPHER)}}},
    {"COMPLEMENTOFDEFAULT", {.mask = {[RESERVE] = 1}}},
    {"HIGH",                {.mask = {[STRONG] = BIT(HIGH)}}},
    {"MEDIUM",              {.mask = {[STRONG] = BIT(MEDIUM)}}},
    {"LOW",                 {.mask = {[STRONG] = BIT(LOW)}}},
    {"FIPS",                {.mask = {[STRONG] = BIT(FIPS)}}},

    {"kRSA",      {.mask = {[KX] = BIT(KEX_RSA)}}},
    {"kEDH",      {.mask = {[KX] = BIT(KEX_DHE)}}},
    {"kDHE",      {.mask = {[KX] = BIT(KEX_DHE)}}},
    {"DH",        {.mask = {[KX] = BIT(KEX_DHE)}}},
    {"kEECDH",    {.mask = {[KX] = BIT(KEX_ECDHE)}}},
    {"kECDHE",    {.mask = {[KX] = BIT(KEX_ECDHE)}}},
    {"ECDH",      {.mask = {[KX] = BIT(KEX_ECDHE)}}},
    {"kPSK",      {.mask = {[KX] = BIT(KEX_PSK)}}},
    {"kECDHEPSK", {.mask = {[KX] = BIT(KEX_ECDHE_PSK)}}},
    {"kDHEPSK",   {.mask = {[KX] = BIT(KEX_DHE_PSK)}}},
    {"PSK",       {.mask = {[KX] = ANY_PSK}}},
    {"kRSAPSK",   {.mask = {[KX] = NONE_OF_OURS}}},
    {"kSRP",      {.mask = {[KX] = NONE_OF_OURS}}},
    {"SRP",       {.mask = {[KX] = NONE_OF_OURS}}},
    {"kGOST",     {.mask = {[KX] = NONE_OF_OURS}}},
    {"kGOST18",   {.mask = {[KX] = NONE_OF_OURS}}},

    {"aRSA",    {.mask = {[AU] = BIT(AUTH_RSA)}}},
    {"aECDSA",  {.mask = {[AU] = BIT(AUTH_ECDSA)}}},
    {"ECDSA",   {.mask = {[AU] = BIT(AUTH_ECDSA)}}},
    {"aPSK",    {.mask = {[AU] = BIT(AUTH_PSK)}}},
    {"aNULL",   {.mask = {[AU] = BIT(AUTH_NONE)}}},
    {"aDSS",    {.mask = {[AU] = NONE_OF_OURS}}},
    {"DSS",     {.mask = {[AU] = NONE_OF_OURS}}},
    {"aSRP",    {.mask = {[AU] = NONE_OF_OURS}}},
    {"aGOST",   {.mask = {[AU] = NONE_OF_OURS}}},
    {"aGOST01", {.mask = {[AU] = NONE_OF_OURS}}},
    {"aGOST12", {.mask = {[AU] = NONE_OF_OURS}}},

    {"RSA",   {.mask = {[KX] = BIT(KEX_RSA), [AU] = BIT(AUTH_RSA)}}},
    {"EDH",   {.mask = {[KX] = BIT(KEX_DHE), [AU] = NOT_ANONYMOUS}}},
    {"DHE",   {.mask = {[KX] = BIT(KEX_DHE), [AU] = NOT_ANONYMOUS}}},
    {"EECDH", {.mask = {[KX] = BIT(KEX_ECDHE), [AU] = NOT_ANONYMOUS}}},
    {"ECDHE", {.mask = {[KX] = BIT(KEX_ECDHE), [AU] = NOT_ANONYMOUS}}},
    {"ADH",   {.mask = {[KX] = BIT(KEX_DHE), [AU] = BIT(AUTH_NONE)}}},
    {"AECDH", {.mask = {[KX] = BIT(KEX_ECDHE), [AU] = BIT(AUTH_NONE)}}},

    {"AES",         {.mask = {[ENC] = ANY_AES}}},
    {"AES128",      {.mask = {[ENC] = ANY_128}}},
    {"AES256",      {.mask = {[ENC] = ANY_256}}},
    {"AESGCM",      {.mask = {[ENC] = ANY_GCM}}},
    {"AESCCM",      {.mask = {[ENC] = ANY_CCM}}},
    {"AESCCM8",     {.mask = {[ENC] = ANY_CCM8}}},
    {"CHACHA20",    {.mask = {[ENC] = BIT(CHACHA)}}},
    {"CBC",         {.mask = {[ENC] = ANY_CBC | NONE_OF_OURS}}},
    {"eNULL",       {.mask = {[ENC] = BIT(NULL_CIPHER)}}},
    {"NULL",        {.mask = {[ENC] = BIT(NULL_CIPHER)}}},
    {"3DES",        {.mask = {[ENC] = NONE_OF_OURS}}},
    {"RC4",         {.mask = {[ENC] = NONE_OF_OURS}}},
    {"RC2",         {.mask = {[ENC] = NONE_OF_OURS}}},
    {"IDEA",        {.mask = {[ENC] = NONE_OF_OURS}}},
    {"SEED",        {.mask = {[ENC] = NONE_OF_OURS}}},
    {"CAMELLIA",    {.mask = {[ENC] = NONE_OF_OURS}}},
    {"CAMELLIA128", {.mask = {[ENC] = NONE_OF_OURS}}},
    {"CAMELLIA256", {.mask = {[ENC] = NONE_OF_OURS}}},
    {"ARIA",        {.mask = {[ENC] = NONE_OF_OURS}}},
    {"ARIAGCM",     {.mask = {[ENC] = NONE_OF_OURS}}},
    {"ARIA128",     {.mask = {[ENC] = NONE_OF_OURS}}},
    {"ARIA256",     {.mask = {[ENC] = NONE_OF_OURS}}},
    {"GOST89",      {.mask = {[ENC] = NONE_OF_OURS}}},

    {"SHA1",      {.mask = {[MAC] = BIT(HASH_SHA1)}}},
    {"SHA",       {.mask = {[MAC] = BIT(HASH_SHA1)}}},
    {"SHA256",    {.mask = {[MAC] = BIT(HASH_SHA256)}}},
    {"SHA384",    {.mask = {[MAC] = BIT(HASH_SHA384)}}},
    {"MD5",       {.mask = {[MAC] = NONE_OF_OURS}}},
    {"GOST94",    {.mask = {[MAC] = NONE_OF_OURS}}},
    {"GOST89MAC", {.mask = {[MAC] = NONE_OF_OURS}}},
    {"GOST12",    {.mask = {[MAC] = NONE_OF_OURS}}},

    {"SSLv3",   {.version = SSL3}},
    {"TLSv1",   {.version = HF_TLS1_0}},
    {"TLSv1.0", {.version = HF_TLS1_0}},
    {"TLSv1.2", {.version = HF_TLS1_2}},
};

/* RFC 6460: whoever begins like this gets no more than that, whatever follows. The longer ones first. */
static const struct { const char *prefix, *meaning; } suite_b[] = {
    {"SUITEB128ONLY", "ECDHE-ECDSA-AES128-GCM-SHA256"},
    {"SUITEB128C2",   "ECDHE-ECDSA-AES256-GCM-SHA384"},
    {"SUITEB128",     "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384"},
    {"SUITEB192",     "ECDHE-ECDSA-AES256-GCM-SHA384"},
};
/* clang-format on */

/* ---- suites as words see them */

static enum cipher cipher_of(const struct suite *s)
{
    switch (s->aead) {
    case AEAD_AES_128_GCM: return GCM128;
    case AEAD_AES_256_GCM: return GCM256;
    case AEAD_CHACHA20_POLY1305: return CHACHA;
    case AEAD_AES_128_CCM: return CCM128;
    case AEAD_AES_128_CCM_8: return CCM8_128;
    case AEAD_AES_256_CCM: return CCM256;
    case AEAD_AES_256_CCM_8: return CCM8_256;
    case AEAD_NONE: break;
    }
    return s->cbc == CBC_AES_128 ? AES128 : s->cbc == CBC_AES_256 ? AES256 : NULL_CIPHER;
}

/* What ECC brought and what came with SHA-2 is younger than SSL 3.0. */
static uint16_t birth(const struct suite *s)
{
    bool old = s->version_min == HF_TLS1_0 && s->mac == HASH_SHA1 && s->kex != KEX_ECDHE &&
               s->kex != KEX_ECDHE_PSK;
    return old ? SSL3 : s->version_min;
}

static struct filter face(const struct suite *s)
{
    enum cipher cipher = cipher_of(s);
    bool ccm = (ANY_CCM & BIT(cipher)) != 0, null = cipher == NULL_CIPHER;
    bool fips = !ccm && !null && cipher != CHACHA;
    return (struct filter){
        .mask = {[KX] = BIT(s->kex),
                 [AU] = BIT(s->auth),
                 [ENC] = BIT(cipher),
                 [MAC] = BIT(s->mac),
                 [STRONG] = null ? BIT(NO_STRENGTH) : BIT(HIGH) | (fips ? BIT(FIPS) : 0),
                 [RESERVE] = ccm || (s->auth == AUTH_NONE && !null)},
        .version = birth(s),
        .id = s->id,
    };
}

static bool matches(const struct filter *f, const struct suite *s)
{
    struct filter has = face(s);
    for (size_t i = 0; i < MASKS; i++) {
        if (f->mask[i] && !(f->mask[i] & has.mask[i]))
            return false;
    }
    return (!f->version || f->version == has.version) && (!f->id || f->id == has.id);
}

/* Both must match; false: nothing can. OpenSSL forgets what COMPLEMENTOFDEFAULT said as soon as
 * a strength is named, and suites have one: "COMPLEMENTOFDEFAULT+HIGH" is HIGH. */
static bool narrow(struct filter *f, const struct filter *by)
{
    if (by->mask[STRONG] && !f->mask[STRONG])
        f->mask[RESERVE] = 0;
    for (size_t i = 0; i < MASKS; i++) {
        if (!by->mask[i])
            continue;
        f->mask[i] = f->mask[i] ? f->mask[i] & by->mask[i] : by->mask[i];
        if (!f->mask[i])
            return false;
    }
    if (by->version && f->version && f->version != by->version)
        return false;
    f->version = by->version ? by->version : f->version;
    f->id = by->id ? by->id : f->id;
    return true;
}

/* ---- the list */

struct list {
    size_t count;
    struct entry {
        const struct suite *suite;
        bool active;
    } entry[CONFIG_MAX_LIST];
};

/* The order that suites have before a string says otherwise, as OpenSSL has it: ephemeral key
 * exchange, AEADs, what is new, long keys, and GCM before ChaCha20 before the rest. Smaller is
 * better. */
static uint32_t rank(const struct suite *s)
{
    enum cipher cipher = cipher_of(s);
    bool ephemeral = s->kex == KEX_ECDHE || s->kex == KEX_DHE, aead = s->aead != AEAD_NONE;
    uint32_t strength = s->bits >= 256 ? 0 : s->bits > 0 ? 1 : 2;
    uint32_t last = s->kex == KEX_PSK      ? 3
                    : s->kex == KEX_RSA    ? 2
                    : s->auth == AUTH_NONE ? 1
                                           : 0;
    uint32_t kind = ANY_GCM & BIT(cipher)   ? 0
                    : cipher == CHACHA      ? 1
                    : ANY_AES & BIT(cipher) ? 2
                                            : 3;
    uint32_t curve = s->kex != KEX_ECDHE ? 2 : s->auth == AUTH_ECDSA ? 0 : 1;

    return (uint32_t) !(ephemeral && aead) << 28 | (uint32_t)!ephemeral << 27 |
           (uint32_t)!aead << 26 | (uint32_t)(birth(s) != HF_TLS1_2) << 25 | strength << 22 |
           last << 20 | kind << 18 | curve << 16 | (uint32_t)(0xffff - s->id);
}

static int by_rank(const void *a, const void *b)
{
    uint32_t x = rank(((const struct entry *)a)->suite),
             y = rank(((const struct entry *)b)->suite);
    return (x > y) - (x < y);
}

static void all_suites(struct list *list)
{
    size_t count;
    const struct suite *table = suite_table(&count);

    list->count = 0;
    for (size_t i = 0; i < count; i++) {
        if (table[i].version_min < HF_TLS1_3 && suite_find(table[i].id))
            list->entry[list->count++] = (struct entry){&table[i], false};
    }
    qsort(list->entry, list->count, sizeof list->entry[0], by_rank);
}

/* The marked ones go to one end of the list; both parts keep their order. */
static void move(struct list *list, const bool marked[CONFIG_MAX_LIST], bool to_front)
{
    struct list from = *list;
    size_t n = 0;

    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < from.count; i++) {
            if (marked[i] == ((pass == 0) == to_front))
                list->entry[n++] = from.entry[i];
        }
    }
}

static void apply(struct list *list, char rule, const struct filter *f)
{
    bool marked[CONFIG_MAX_LIST] = {false};
    size_t kept = 0;

    for (size_t i = 0; i < list->count; i++) {
        struct entry *e = &list->entry[i];
        marked[i] = matches(f, e->suite) && (rule == '!' || e->active == (rule != 0));
        if (marked[i] && rule != '+')
            e->active = rule == 0;
    }
    if (rule != '!') {
        move(list, marked, rule == '-');
        return;
    }
    for (size_t i = 0; i < list->count; i++) {
        if (!marked[i])
            list->entry[kept++] = list->entry[i];
    }
    list->count = kept;
}

static void sort_by_strength(struct list *list)
{
    static const uint16_t strengths[] = {256, 128, 0};

    for (size_t k = 0; k < sizeof strengths / sizeof strengths[0]; k++) {
        bool marked[CONFIG_MAX_LIST] = {false};
        for (size_t i = 0; i < list->count; i++)
            marked[i] = list->entry[i].active && list->entry[i].suite->bits == strengths[k];
        move(list, marked, false);
    }
}

/* ---- the string */

struct parse {
    const char *at;
    struct list list;
    int level;            /* -1: not said */
    struct slice unknown; /* the first word that nobody knows */
};

static bool is_separator(char c)
{
    return c == ':' || c == ' ' || c == ';' || c == ',';
}

/* OpenSSL's, and the underscore of IANA's names. */
static size_t word_length(const char *s)
{
    return strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.=_");
}

static bool is_word(const char *name, struct slice word)
{
    return strlen(name) == word.len && memcmp(name, word.p, word.len) == 0;
}

static bool find_word(struct slice word, struct filter *out)
{
    size_t count;
    const struct suite *table = suite_table(&count);

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (is_word(words[i].name, word)) {
            *out = words[i].filter;
            return true;
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (table[i].version_min >= HF_TLS1_3 ||
            (!is_word(table[i].openssl, word) && !is_word(table[i].name, word)))
            continue;
        *out = face(&table[i]);
        out->version = 0; /* a suite's own is no condition: "AES128-SHA+TLSv1" */
        return true;
    }
    return false;
}

static bool not_the_language(const struct parse *p, hf_error *err)
{
    return err_set(
        err, HF_E_CONFIG,
        "cipher string: '%.40s' is not understood: a word, @STRENGTH or @SECLEVEL=0 to "
        "5 is expected",
        p->at);
}

static void skip_rest(struct parse *p)
{
    while (*p->at && !is_separator(*p->at))
        p->at++;
}

static bool read_command(struct parse *p, hf_error *err)
{
    struct slice word = slice_of(p->at, word_length(p->at));

    if (is_word("STRENGTH", word))
        sort_by_strength(&p->list);
    else if (word.len == 10 && memcmp(word.p, "SECLEVEL=", 9) == 0 && word.p[9] >= '0' &&
             word.p[9] <= '5')
        p->level = word.p[9] - '0';
    else
        return not_the_language(p, err);
    skip_rest(p);
    return true;
}

/* "kRSA+AES". false: an error; *found false: nothing can match. */
static bool read_words(struct parse *p, struct filter *f, bool *found, hf_error *err)
{
    *found = true;
    for (;;) {
        struct slice word = slice_of(p->at, word_length(p->at));
        struct filter one;
        if (word.len == 0)
            return not_the_language(p, err);
        if (!find_word(word, &one)) {
            if (!p->unknown.p)
                p->unknown = word;
            *found = false;
        } else if (!narrow(f, &one)) {
            *found = false;
        }
        if (!*found) {
            skip_rest(p);
            return true;
        }
        p->at += word.len;
        if (*p->at != '+')
            return true;
        p->at++;
    }
}

static bool read_rules(struct parse *p, hf_error *err)
{
    while (*p->at) {
        struct filter f = {0};
        bool found;
        char rule = 0;
        if (is_separator(*p->at)) {
            p->at++;
            continue;
        }
        if (strchr("+-!@", *p->at))
            rule = *p->at++;
        if (is_separator(*p->at)) {
            p->at++;
            return not_the_language(p, err);
        }
        if (rule == '@') {
            if (!read_command(p, err))
                return false;
            continue;
        }
        if (!read_words(p, &f, &found, err))
            return false;
        if (found)
            apply(&p->list, rule, &f);
    }
    return true;
}

static bool begins(const char *string, const char *prefix)
{
    return strncmp(string, prefix, strlen(prefix)) == 0;
}

static bool read_string(struct parse *p, const char *string, hf_error *err)
{
    for (size_t i = 0; i < sizeof suite_b / sizeof suite_b[0]; i++) {
        if (begins(string, suite_b[i].prefix)) {
            p->at = suite_b[i].meaning;
            return read_rules(p, err);
        }
    }
    if (begins(string, "DEFAULT")) {
        p->at = "ALL:!COMPLEMENTOFDEFAULT:!eNULL";
        if (!read_rules(p, err))
            return false;
        string += strlen("DEFAULT");
    }
    p->at = string;
    return read_rules(p, err);
}

bool ciphers_parse(const char *string, struct ids *out, uint8_t *level, hf_error *err)
{
    struct parse p = {.level = -1};
    struct ids ids = {0};

    if (!string)
        return err_set(err, HF_E_USAGE, "the cipher string is NULL");
    all_suites(&p.list);
    if (!read_string(&p, string, err))
        return false;
    for (size_t i = 0; i < p.list.count; i++) {
        if (p.list.entry[i].active)
            ids.id[ids.count++] = p.list.entry[i].suite->id;
    }
    if (ids.count == 0)
        return err_set(err, HF_E_CONFIG,
                       "cipher string '%.60s': no suite of TLS 1.2 or older matches%s%.*s%s",
                       string, p.unknown.p ? "; nothing is known as '" : "",
                       p.unknown.len > 60 ? 60 : (int)p.unknown.len,
                       p.unknown.p ? (const char *)p.unknown.p : "", p.unknown.p ? "'" : "");
    *out = ids;
    if (p.level >= 0)
        *level = (uint8_t)p.level;
    return true;
}

/* cipher_rules.c: a string is a sequence of rules over one list of all suites, each of which is active or not:
 *
 *   WORD   the suites that match become active and go to the end, if they were not active
 *   +WORD  active ones that match go to the end
 *   -WORD  active ones that match become inactive, and go to the front, where later words find them
 *   !WORD  those that match are gone for good
 *
 * and the active ones are the result. WORD is several joined by +, all of which must match. */
#include "config/cipher_rules.h"

#include "handfast.h"

#define BIT(x) (1U << (x))

/* A suite has one bit of each; a word those of all that it matches, 0 for any. */
enum { KX, AU, ENC, MAC, STRONG, RESERVE, MASKS };

/* No suite has this: words for what there is no more. */
#define NONE BIT(31)

enum { LOW, MEDIUM, HIGH, FIPS, NO_STRENGTH };

#define ANY_PSK       (BIT(KX_PSK) | BIT(KX_RSA_PSK) | BIT(KX_ECDHE_PSK) | BIT(KX_DHE_PSK))
#define NOT_ANONYMOUS (~BIT(AU_NULL))
#define ANY_CCM8      (BIT(ENC_AES128_CCM8) | BIT(ENC_AES256_CCM8))
#define ANY_CCM       (BIT(ENC_AES128_CCM) | BIT(ENC_AES256_CCM) | ANY_CCM8)
#define ANY_GCM       (BIT(ENC_AES128_GCM) | BIT(ENC_AES256_GCM))
#define ANY_AES128                                                                             \
    (BIT(ENC_AES128) | BIT(ENC_AES128_GCM) | BIT(ENC_AES128_CCM) | BIT(ENC_AES128_CCM8))
#define ANY_AES256                                                                             \
    (BIT(ENC_AES256) | BIT(ENC_AES256_GCM) | BIT(ENC_AES256_CCM) | BIT(ENC_AES256_CCM8))
#define ANY_CAMELLIA (BIT(ENC_CAMELLIA128) | BIT(ENC_CAMELLIA256))
#define ANY_ARIA     (BIT(ENC_ARIA128_GCM) | BIT(ENC_ARIA256_GCM))
#define ANY_CBC      (BIT(ENC_AES128) | BIT(ENC_AES256) | ANY_CAMELLIA)

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
    {"ALL",                 {.mask = {[ENC] = ~BIT(ENC_NULL)}}},
    {"COMPLEMENTOFALL",     {.mask = {[ENC] = BIT(ENC_NULL)}}},
    {"COMPLEMENTOFDEFAULT", {.mask = {[RESERVE] = 1}}},
    {"HIGH",                {.mask = {[STRONG] = BIT(HIGH)}}},
    {"MEDIUM",              {.mask = {[STRONG] = BIT(MEDIUM)}}},
    {"LOW",                 {.mask = {[STRONG] = BIT(LOW)}}},
    {"FIPS",                {.mask = {[STRONG] = BIT(FIPS)}}},

    {"kRSA",      {.mask = {[KX] = BIT(KX_RSA)}}},
    {"kEDH",      {.mask = {[KX] = BIT(KX_DHE)}}},
    {"kDHE",      {.mask = {[KX] = BIT(KX_DHE)}}},
    {"DH",        {.mask = {[KX] = BIT(KX_DHE)}}},
    {"kEECDH",    {.mask = {[KX] = BIT(KX_ECDHE)}}},
    {"kECDHE",    {.mask = {[KX] = BIT(KX_ECDHE)}}},
    {"ECDH",      {.mask = {[KX] = BIT(KX_ECDHE)}}},
    {"kPSK",      {.mask = {[KX] = BIT(KX_PSK)}}},
    {"kRSAPSK",   {.mask = {[KX] = BIT(KX_RSA_PSK)}}},
    {"kECDHEPSK", {.mask = {[KX] = BIT(KX_ECDHE_PSK)}}},
    {"kDHEPSK",   {.mask = {[KX] = BIT(KX_DHE_PSK)}}},
    {"PSK",       {.mask = {[KX] = ANY_PSK}}},
    {"kSRP",      {.mask = {[KX] = BIT(KX_SRP)}}},
    {"SRP",       {.mask = {[KX] = BIT(KX_SRP)}}},
    {"kGOST",     {.mask = {[KX] = NONE}}},
    {"kGOST18",   {.mask = {[KX] = NONE}}},

    {"aRSA",    {.mask = {[AU] = BIT(AU_RSA)}}},
    {"aECDSA",  {.mask = {[AU] = BIT(AU_ECDSA)}}},
    {"ECDSA",   {.mask = {[AU] = BIT(AU_ECDSA)}}},
    {"aDSS",    {.mask = {[AU] = BIT(AU_DSS)}}},
    {"DSS",     {.mask = {[AU] = BIT(AU_DSS)}}},
    {"aPSK",    {.mask = {[AU] = BIT(AU_PSK)}}},
    {"aSRP",    {.mask = {[AU] = BIT(AU_SRP)}}},
    {"aNULL",   {.mask = {[AU] = BIT(AU_NULL)}}},
    {"aGOST",   {.mask = {[AU] = NONE}}},
    {"aGOST01", {.mask = {[AU] = NONE}}},
    {"aGOST12", {.mask = {[AU] = NONE}}},

    {"RSA",   {.mask = {[KX] = BIT(KX_RSA), [AU] = BIT(AU_RSA)}}},
    {"EDH",   {.mask = {[KX] = BIT(KX_DHE), [AU] = NOT_ANONYMOUS}}},
    {"DHE",   {.mask = {[KX] = BIT(KX_DHE), [AU] = NOT_ANONYMOUS}}},
    {"EECDH", {.mask = {[KX] = BIT(KX_ECDHE), [AU] = NOT_ANONYMOUS}}},
    {"ECDHE", {.mask = {[KX] = BIT(KX_ECDHE), [AU] = NOT_ANONYMOUS}}},
    {"ADH",   {.mask = {[KX] = BIT(KX_DHE), [AU] = BIT(AU_NULL)}}},
    {"AECDH", {.mask = {[KX] = BIT(KX_ECDHE), [AU] = BIT(AU_NULL)}}},

    {"AES",         {.mask = {[ENC] = ANY_AES128 | ANY_AES256}}},
    {"AES128",      {.mask = {[ENC] = ANY_AES128}}},
    {"AES256",      {.mask = {[ENC] = ANY_AES256}}},
    {"AESGCM",      {.mask = {[ENC] = ANY_GCM}}},
    {"AESCCM",      {.mask = {[ENC] = ANY_CCM}}},
    {"AESCCM8",     {.mask = {[ENC] = ANY_CCM8}}},
    {"CHACHA20",    {.mask = {[ENC] = BIT(ENC_CHACHA20)}}},
    {"CAMELLIA",    {.mask = {[ENC] = ANY_CAMELLIA}}},
    {"CAMELLIA128", {.mask = {[ENC] = BIT(ENC_CAMELLIA128)}}},
    {"CAMELLIA256", {.mask = {[ENC] = BIT(ENC_CAMELLIA256)}}},
    {"ARIA",        {.mask = {[ENC] = ANY_ARIA}}},
    {"ARIAGCM",     {.mask = {[ENC] = ANY_ARIA}}},
    {"ARIA128",     {.mask = {[ENC] = BIT(ENC_ARIA128_GCM)}}},
    {"ARIA256",     {.mask = {[ENC] = BIT(ENC_ARIA256_GCM)}}},
    {"CBC",         {.mask = {[ENC] = ANY_CBC}}},
    {"eNULL",       {.mask = {[ENC] = BIT(ENC_NULL)}}},
    {"NULL",        {.mask = {[ENC] = BIT(ENC_NULL)}}},
    {"3DES",        {.mask = {[ENC] = NONE}}},
    {"RC4",         {.mask = {[ENC] = NONE}}},
    {"RC2",         {.mask = {[ENC] = NONE}}},
    {"IDEA",        {.mask = {[ENC] = NONE}}},
    {"SEED",        {.mask = {[ENC] = NONE}}},
    {"GOST89",      {.mask = {[ENC] = NONE}}},

    {"MD5",       {.mask = {[MAC] = BIT(MAC_MD5)}}},
    {"SHA1",      {.mask = {[MAC] = BIT(MAC_SHA1)}}},
    {"SHA",       {.mask = {[MAC] = BIT(MAC_SHA1)}}},
    {"SHA256",    {.mask = {[MAC] = BIT(MAC_SHA256)}}},
    {"SHA384",    {.mask = {[MAC] = BIT(MAC_SHA384)}}},
    {"GOST94",    {.mask = {[MAC] = NONE}}},
    {"GOST89MAC", {.mask = {[MAC] = NONE}}},
    {"GOST12",    {.mask = {[MAC] = NONE}}},

    {"SSLv3",   {.version = 0x0300}},
    {"TLSv1",   {.version = HF_TLS1_0}},
    {"TLSv1.0", {.version = HF_TLS1_0}},
    {"TLSv1.2", {.version = HF_TLS1_2}},
};

/* The longer ones first. */
static const struct {
    const char *prefix;
    enum suite_b mode;
    const char *meaning;
} suite_bs[] = {
    {"SUITEB128ONLY", SUITE_B_128_ONLY, "ECDHE-ECDSA-AES128-GCM-SHA256"},
    {"SUITEB128C2",   SUITE_B_192,      "ECDHE-ECDSA-AES256-GCM-SHA384"},
    {"SUITEB128",     SUITE_B_128,      "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384"},
    {"SUITEB192",     SUITE_B_192,      "ECDHE-ECDSA-AES256-GCM-SHA384"},
};
/* clang-format on */

/* ---- suites as words see them */

static struct filter filter_of(const struct cipher_face *c)
{
    return (struct filter){
        .mask = {[KX] = BIT(c->kx),
                 [AU] = BIT(c->au),
                 [ENC] = BIT(c->enc),
                 [MAC] = BIT(c->mac),
                 [STRONG] = c->high ? BIT(HIGH) | (c->fips ? BIT(FIPS) : 0) : BIT(NO_STRENGTH),
                 [RESERVE] = c->reserve},
        .version = c->version,
        .id = c->id,
    };
}

static bool matches(const struct filter *f, const struct cipher_face *c)
{
    struct filter has = filter_of(c);
    for (size_t i = 0; i < MASKS; i++) {
        if (f->mask[i] && !(f->mask[i] & has.mask[i]))
            return false;
    }
    return (!f->version || f->version == has.version) && (!f->id || f->id == has.id);
}

/* Both must match; false: nothing can. What COMPLEMENTOFDEFAULT said is forgotten as soon as a strength is
 * named, and suites have one: "COMPLEMENTOFDEFAULT+HIGH" is HIGH. */
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
        const struct cipher_face *cipher;
        bool active;
    } entry[CIPHER_RULES_MAX];
};

static void all_ciphers(struct list *list, const struct cipher_faces *from)
{
    list->count = from->count;
    for (size_t i = 0; i < from->count; i++)
        list->entry[i] = (struct entry){&from->face[i], false};
}

/* The marked ones go to one end of the list; both parts keep their order. */
static void move(struct list *list, const bool marked[CIPHER_RULES_MAX], bool to_front)
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

static void drop(struct list *list, const bool marked[CIPHER_RULES_MAX])
{
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++) {
        if (!marked[i])
            list->entry[kept++] = list->entry[i];
    }
    list->count = kept;
}

static void apply(struct list *list, char rule, const struct filter *f)
{
    bool marked[CIPHER_RULES_MAX] = {false};
    for (size_t i = 0; i < list->count; i++) {
        struct entry *e = &list->entry[i];
        marked[i] = matches(f, e->cipher) && (rule == '!' || e->active == (rule != 0));
        if (marked[i] && rule != '+')
            e->active = rule == 0;
    }
    if (rule == '!')
        drop(list, marked);
    else
        move(list, marked, rule == '-');
}

static void sort_by_strength(struct list *list)
{
    static const uint16_t strengths[] = {256, 128, 0};
    for (size_t k = 0; k < sizeof strengths / sizeof strengths[0]; k++) {
        bool marked[CIPHER_RULES_MAX] = {false};
        for (size_t i = 0; i < list->count; i++) {
            const struct entry *e = &list->entry[i];
            marked[i] = e->active && e->cipher->bits == strengths[k];
        }
        move(list, marked, false);
    }
}

/* ---- the string */

struct parse {
    const char *at;
    const struct cipher_faces *from;
    bool underscores;
    struct list list;
    struct cipher_choice *out;
};

static bool is_separator(char c)
{
    return c == ':' || c == ' ' || c == ';' || c == ',';
}

static struct slice word_at(const struct parse *p)
{
    static const char letters[] =
        "_ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.=";
    return slice_of(p->at, strspn(p->at, p->underscores ? letters : letters + 1));
}

static bool is_word(const char *name, struct slice word)
{
    return name && strlen(name) == word.len && memcmp(name, word.p, word.len) == 0;
}

static bool find_word(const struct cipher_faces *from, struct slice word, struct filter *out)
{
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (is_word(words[i].name, word)) {
            *out = words[i].filter;
            return true;
        }
    }
    for (size_t i = 0; i < from->count; i++) {
        if (!is_word(from->face[i].name, word) && !is_word(from->face[i].iana, word))
            continue;
        *out = filter_of(&from->face[i]);
        out->version = 0; /* a suite's own is no condition: "AES128-SHA+TLSv1" */
        return true;
    }
    return false;
}

static bool not_the_language(const struct parse *p)
{
    p->out->wrong = p->at;
    return false;
}

static void skip_rest(struct parse *p)
{
    while (*p->at && !is_separator(*p->at))
        p->at++;
}

static bool read_command(struct parse *p)
{
    struct slice word = word_at(p);
    if (is_word("STRENGTH", word))
        sort_by_strength(&p->list);
    else if (word.len == 10 && memcmp(word.p, "SECLEVEL=", 9) == 0 && word.p[9] >= '0' &&
             word.p[9] <= '5')
        p->out->level = word.p[9] - '0';
    else
        return not_the_language(p);
    skip_rest(p);
    return true;
}

/* "kRSA+AES". False: an error; *found false: nothing can match. */
static bool read_words(struct parse *p, struct filter *f, bool *found)
{
    *found = true;
    for (;;) {
        struct filter one;
        struct slice word = word_at(p);
        if (word.len == 0)
            return not_the_language(p);
        bool known = find_word(p->from, word, &one);
        if (!known && !p->out->unknown.p)
            p->out->unknown = word;
        if (!known || !narrow(f, &one)) {
            *found = false;
            skip_rest(p);
            return true;
        }
        p->at += word.len;
        if (*p->at != '+')
            return true;
        p->at++;
    }
}

static bool read_rules(struct parse *p)
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
        if (rule == '@') {
            if (!read_command(p))
                return false;
            continue;
        }
        if (!read_words(p, &f, &found))
            return false;
        if (found)
            apply(&p->list, rule, &f);
    }
    return true;
}

/* What a string stands for by its beginning, or else by the mode that holds already; NULL: itself. */
static const char *suite_b_meaning(const char *string, enum suite_b *mode)
{
    for (size_t i = 0; i < sizeof suite_bs / sizeof suite_bs[0]; i++) {
        const char *prefix = suite_bs[i].prefix;
        if (strncmp(string, prefix, strlen(prefix)) == 0) {
            *mode = suite_bs[i].mode;
            return suite_bs[i].meaning;
        }
    }
    for (size_t i = 0; *mode != SUITE_B_NONE && i < sizeof suite_bs / sizeof suite_bs[0]; i++) {
        if (suite_bs[i].mode == *mode)
            return suite_bs[i].meaning;
    }
    return NULL;
}

static bool read_string(struct parse *p, const char *string)
{
    static const char word[] = "DEFAULT";
    if (strncmp(string, word, strlen(word)) == 0) {
        p->at = CIPHER_RULES_DEFAULT;
        if (!read_rules(p))
            return false;
        string += strlen(word);
    }
    p->at = string;
    return read_rules(p);
}

bool cipher_rules_read(const struct cipher_faces *from, const char *string, bool underscores,
                       enum suite_b *suite_b, struct cipher_choice *out)
{
    struct parse p = {.from = from, .underscores = underscores, .out = out};
    const char *meaning = suite_b_meaning(string, suite_b);

    out->count = 0;
    out->level = -1;
    out->unknown = (struct slice){0};
    out->wrong = NULL;
    all_ciphers(&p.list, from);
    if (!read_string(&p, meaning ? meaning : string))
        return false;
    for (size_t i = 0; i < p.list.count; i++) {
        if (p.list.entry[i].active)
            out->id[out->count++] = p.list.entry[i].cipher->id;
    }
    return true;
}

/* options.c: options by name. The input is lines "name=value". What is taken can be asked for again, and all of it
 * together makes a configuration or an error. No file is opened: values of files are made PEM. */
#include "fuzz.h"

#include <string.h>

#include "net/options.h"

static void set_line(hf_options *o, const char *line)
{
    hf_error err = {0};
    char name[64] = "";
    const char *equals = strchr(line, '=');
    size_t n = equals ? (size_t)(equals - line) : 0;
    if (n < sizeof name)
        memcpy(name, line, n);
    const hf_option_info *info = *name ? hf_option_find(name) : NULL;
    bool file = info && (info->type == HF_OPTION_FILE || info->type == HF_OPTION_FOLDER ||
                         info->type == HF_OPTION_MAP);
    if (hf_options_set_line(o, line, &err)) {
        REQUIRE(equals && err.code == HF_OK);
        if (file && !value_is_pem(hf_options_get(o, name)))
            REQUIRE(hf_options_set(o, name, NULL, &err));
        return;
    }
    REQUIRE(err.code == HF_E_CONFIG || err.code == HF_E_PROHIBITED_PROTOCOL);
    REQUIRE(err.detail[0]);
    explain_all(NULL, &err);
}

static void use(hf_options *o, hf_role role)
{
    hf_error err = {0};
    hf_net_options net = HF_NET_OPTIONS;
    hf_config *config = hf_options_config(o, role, NULL, &err);
    REQUIRE((config != NULL) == (err.code == HF_OK));
    hf_config_free(config);
    REQUIRE(hf_options_net(o, &net, &err));
    REQUIRE(net.backlog >= 0 && net.tcp_nodelay >= -1 && net.tcp_nodelay <= 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = feed_text(slice_of(data, size < 4096 ? size : 4096));
    hf_options *o = hf_options_new();
    REQUIRE(o);
    for (char *line = text; line;) {
        char *end = strchr(line, '\n');
        if (end)
            *end++ = '\0';
        set_line(o, line);
        line = end;
    }
    use(o, HF_CLIENT);
    use(o, HF_SERVER);
    hf_options_free(o);

    /* And the values' readers alone. */
    unsigned mask;
    double number;
    bool on;
    struct value_pin pin;
    struct value_site site;
    const char *why = NULL, *at = text;
    (void)value_bool(text, &on);
    (void)value_versions(text, &mask);
    if (value_number(text, &number))
        REQUIRE(number > -1e16 && number < 1e16);
    while (value_pin(&at, &pin, &why) > 0)
        REQUIRE(at > text);
    at = text;
    while (value_site(&at, &site) > 0)
        REQUIRE(at > text && *site.name && *site.cert);
    free(text);
    return 0;
}

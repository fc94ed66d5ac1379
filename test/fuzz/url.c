/* url.c: URLs. What is read and written again is read as the same. */
#include "fuzz.h"

#include <string.h>

#include "net/resolve.h"

/* The same bytes as an address without a scheme, which hf_send_to takes: what is read is written the same by
 * address_text, and read again. */
static void as_address(const char *text)
{
    static struct url url, again;
    struct address_list list;
    char out[ADDRESS_TEXT_MAX];
    hf_error err = {0};

    if (!url_parse_address(text, scheme_find("udp", 3), &url, &err)) {
        REQUIRE(err.code == HF_E_URL);
        return;
    }
    REQUIRE(url.kind == URL_IPV4 || url.kind == URL_IPV6 || url.kind == URL_ANY);
    if (url.kind == URL_ANY || !resolve_literal(&url, false, &list) || !list.count)
        return;
    address_show(&list.a[0], out);
    REQUIRE(url_parse_address(out, scheme_find("udp", 3), &again, &err));
    REQUIRE(again.port == url.port);
    if (again.kind == url.kind)
        REQUIRE(memcmp(&again.addr, &url.addr, url.kind == URL_IPV4 ? 4 : 16) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct url url, again;
    hf_error err = {0};
    /* the first byte says whether a port comes apart */
    int port = size && (data[0] & 0x80) ? (data[0] & 0x7f) * 600 : 0;
    char *text = feed_text(port ? slice_of(data + 1, size - 1) : slice_of(data, size));
    memset(&url, 0, sizeof url);
    memset(&again, 0, sizeof again);
    as_address(text);
    if (!url_parse_port(text, port, &url, &err)) {
        REQUIRE(err.code == HF_E_URL || err.code == HF_E_SCHEME ||
                err.code == HF_E_PROHIBITED_PROTOCOL);
        REQUIRE(err.path[0] == 0 || err.offset <= strlen(text));
        explain_all(NULL, &err);
        free(text);
        return 0;
    }
    REQUIRE(url.scheme && memchr(url.host, 0, sizeof url.host) &&
            memchr(url.zone, 0, sizeof url.zone));
    REQUIRE(scheme_usable(url.scheme, &err) == (err.code == HF_OK));
    size_t len = url_format(&url, NULL, 0);
    char *out = malloc(len + 1);
    REQUIRE(out && url_format(&url, out, len + 1) == len && strlen(out) == len);
    hf_error none = {0};
    REQUIRE(url_parse(out, &again, &none));
    REQUIRE(again.scheme == url.scheme && again.kind == url.kind && again.port == url.port);
    REQUIRE(strcmp(again.host, url.host) == 0 && strcmp(again.zone, url.zone) == 0);
    REQUIRE(url.kind != URL_IPV6 || memcmp(&again.addr, &url.addr, sizeof url.addr.v6) == 0);
    free(out);
    free(text);
    return 0;
}

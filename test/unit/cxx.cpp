// Both public headers in C++: they compile without a warning, and a handshake of two connections in
// memory works.
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "handfast.h"
#include "handfast_context.h"
#include "handfast_memory.h"
#include "handfast_names.h"
#include "handfast_net.h"
#include "handfast_options.h"
#include "handfast_random.h"
#include "handfast_starttls.h"
#include "handfast_stateless.h"

namespace
{

int failed;

void check(bool ok, const char *what)
{
    if (!ok) {
        std::printf("FAIL %s\n", what);
        failed = 1;
    }
}

using Bytes = std::vector<uint8_t>;

void carry(hf_conn *from, hf_conn *to, std::string &data)
{
    size_t len = 0, used = 0, n = 0;
    uint8_t *got = nullptr;
    const uint8_t *bytes = hf_conn_output(from, &len);
    Bytes in(bytes, bytes + len);
    hf_conn_output_done(from, len);
    while (!in.empty()) {
        hf_result r = hf_conn_receive(to, in.data(), in.size(), &used, &got, &n);
        data.append(reinterpret_cast<char *>(got), n);
        in.erase(in.begin(), in.begin() + static_cast<std::ptrdiff_t>(used));
        if (r != HF_DONE)
            break;
    }
}

bool on_hello(hf_conn *conn, const hf_question *question, void *arg)
{
    *static_cast<bool *>(arg) = question->ask == HF_ASK_HELLO && question->hello_len > 4;
    return hf_answer_hello(conn, nullptr);
}

void no_credential(hf_config *server)
{
    hf_error err{};
    bool asked = false;
    hf_config *client = hf_config_new(HF_CLIENT);
    check(hf_config_insecure_no_verify(client), "hf_config_insecure_no_verify");
    check(hf_config_set_ask(server, HF_ASK_HELLO, on_hello, &asked), "hf_config_set_ask");
    hf_conn *c = hf_conn_new_client(client, "server.example", &err);
    hf_conn *s = hf_conn_new_server(server, &err);
    check(c && s, "hf_conn_new_");
    if (c && s) {
        std::string data;
        carry(c, s, data);
        carry(s, c, data);
        check(asked, "the question");
        const hf_error *why = hf_conn_error(s);
        check(why && why->code == HF_E_NO_CREDENTIAL, "the server's error");
        why = hf_conn_error(c);
        check(why && why->code == HF_E_ALERT_RECEIVED && why->alert == 40, "the client's error");
        char line[300];
        check(why && hf_error_line(why, line, sizeof line) > 0, "hf_error_line");
        check(data.empty(), "no data");
    }
    hf_conn_free(c);
    hf_conn_free(s);
    hf_config_free(client);
}

} // namespace

int main()
{
    hf_error err{};
    check(hf_api_version() == HF_API_VERSION, "hf_api_version");
    check(std::strcmp(hf_code_name(HF_E_BAD_SIGNATURE), "BAD_SIGNATURE") == 0, "hf_code_name");
    hf_config *server = hf_config_new(HF_SERVER);
    check(server != nullptr, "hf_config_new");
    no_credential(server);
    hf_config_free(server);
    hf_stream *stream = hf_open("nonsense://x", nullptr, nullptr, &err);
    check(!stream && err.code == HF_E_SCHEME, "hf_open");
    std::printf("%d passed, %d failed, 0 skipped\n", !failed, failed);
    return failed;
}

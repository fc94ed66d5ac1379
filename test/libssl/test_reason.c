/* test_reason.c: the texts of the error table, and the ways to print an error. */
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>

int main(void)
{
    OPENSSL_init_ssl(OPENSSL_INIT_LOAD_SSL_STRINGS | OPENSSL_INIT_LOAD_CRYPTO_STRINGS, NULL);
    for (int reason = 0; reason < 2000; reason++) {
        unsigned long e = ERR_PACK(ERR_LIB_SSL, 0, reason);
        char text[256];
        const char *name = ERR_reason_error_string(e);
        ERR_error_string_n(e, text, sizeof text);
        if (name)
            printf("%d: %s | %s | %s\n", reason, name, text, ERR_lib_error_string(e));
    }
    for (int alert = 0; alert < 256; alert++)
        printf("alert %d: %s %s | %s %s\n", alert, SSL_alert_desc_string(alert),
               SSL_alert_desc_string_long(alert), SSL_alert_type_string(alert << 8),
               SSL_alert_type_string_long(alert << 8));
    return 0;
}

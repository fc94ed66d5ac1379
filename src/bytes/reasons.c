/* reasons.c: what OpenSSL calls our errors, for programs that know its words. */
#include "bytes/bytes.h"
#include "handfast_names.h"

struct reason {
    uint16_t number; /* SSL_R_ */
    const char *name;
};

/* clang-format off */
static const struct reason reasons[] = {
    {101, "NO_SUITABLE_KEY_SHARE"},
    {102, "BAD_DH_VALUE"},
    {104, "INCONSISTENT_EXTMS"},
    {105, "BAD_HELLO_REQUEST"},
    {107, "BAD_DECOMPRESSION"},
    {108, "BAD_KEY_SHARE"},
    {110, "BAD_EXTENSION"},
    {114, "BAD_PSK_IDENTITY"},
    {118, "NO_SUITABLE_SIGNATURE_ALGORITHM"},
    {123, "BAD_SIGNATURE"},
    {132, "TOO_MANY_KEY_UPDATES"},
    {134, "CERTIFICATE_VERIFY_FAILED"},
    {140, "COMPRESSED_LENGTH_TOO_LONG"},
    {146, "DATA_LENGTH_TOO_LONG"},
    {149, "DIGEST_CHECK_FAILED"},
    {150, "ENCRYPTED_LENGTH_TOO_LONG"},
    {152, "EXCESSIVE_MESSAGE_SIZE"},
    {157, "TLS_INVALID_ECPOINTFORMAT_LIST"},
    {159, "LENGTH_MISMATCH"},
    {164, "TOO_MUCH_EARLY_DATA"},
    {167, "CONTEXT_NOT_DANE_ENABLED"},
    {177, "NO_CERTIFICATE_ASSIGNED"},
    {182, "NOT_ON_RECORD_BOUNDARY"},
    {193, "NO_SHARED_CIPHER"},
    {197, "OLD_SESSION_CIPHER_NOT_RETURNED"},
    {199, "PEER_DID_NOT_RETURN_A_CERTIFICATE"},
    {203, "DANE_TLSA_NULL_DATA"},
    {207, "PROTOCOL_IS_SHUTDOWN"},
    {210, "SSL_SESSION_VERSION_MISMATCH"},
    {217, "UNSOLICITED_EXTENSION"},
    {218, "CIPHERSUITE_DIGEST_HAS_CHANGED"},
    {223, "PSK_IDENTITY_NOT_FOUND"},
    {226, "CLIENTHELLO_TLSEXT"},
    {234, "CALLBACK_FAILED"},
    {235, "NO_APPLICATION_PROTOCOL"},
    {244, "UNEXPECTED_MESSAGE"},
    {245, "UNEXPECTED_RECORD"},
    {247, "UNKNOWN_CERTIFICATE_TYPE"},
    {253, "BINDER_DOES_NOT_VERIFY"},
    {257, "UNSUPPORTED_COMPRESSION_ALGORITHM"},
    {258, "UNSUPPORTED_PROTOCOL"},
    {261, "WRONG_CIPHER_RETURNED"},
    {266, "WRONG_SSL_VERSION"},
    {267, "WRONG_VERSION_NUMBER"},
    {271, "BAD_LENGTH"},
    {279, "EXTENSION_NOT_RECEIVED"},
    {281, "DECRYPTION_FAILED_OR_BAD_RECORD_MAC"},
    {290, "MISSING_PARAMETERS"},
    {294, "UNEXPECTED_EOF_WHILE_READING"},
    {298, "RECORD_TOO_SMALL"},
    {308, "COOKIE_MISMATCH"},
    {337, "RENEGOTIATION_MISMATCH"},
    {338, "UNSAFE_LEGACY_RENEGOTIATION_DISABLED"},
    {339, "NO_RENEGOTIATION"},
    {341, "INVALID_COMPRESSION_ALGORITHM"},
    {370, "WRONG_SIGNATURE_TYPE"},
    {373, "INAPPROPRIATE_FALLBACK"},
    {378, "WRONG_CURVE"},
    {383, "WRONG_CERTIFICATE_TYPE"},
    {394, "DH_KEY_TOO_SMALL"},
    {397, "CA_KEY_TOO_SMALL"},
    {399, "EE_KEY_TOO_SMALL"},
    {409, "TOO_MANY_WARN_ALERTS"},
    {999, "INVALID_SESSION_ID"},
};

/* 1000 and the alert's number. */
static const struct reason alerts[] = {
    {1010, "SSLV3_ALERT_UNEXPECTED_MESSAGE"},
    {1020, "SSLV3_ALERT_BAD_RECORD_MAC"},
    {1021, "TLSV1_ALERT_DECRYPTION_FAILED"},
    {1022, "TLSV1_ALERT_RECORD_OVERFLOW"},
    {1030, "SSLV3_ALERT_DECOMPRESSION_FAILURE"},
    {1040, "SSLV3_ALERT_HANDSHAKE_FAILURE"},
    {1041, "SSLV3_ALERT_NO_CERTIFICATE"},
    {1042, "SSLV3_ALERT_BAD_CERTIFICATE"},
    {1043, "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE"},
    {1044, "SSLV3_ALERT_CERTIFICATE_REVOKED"},
    {1045, "SSLV3_ALERT_CERTIFICATE_EXPIRED"},
    {1046, "SSLV3_ALERT_CERTIFICATE_UNKNOWN"},
    {1047, "SSLV3_ALERT_ILLEGAL_PARAMETER"},
    {1048, "TLSV1_ALERT_UNKNOWN_CA"},
    {1049, "TLSV1_ALERT_ACCESS_DENIED"},
    {1050, "TLSV1_ALERT_DECODE_ERROR"},
    {1051, "TLSV1_ALERT_DECRYPT_ERROR"},
    {1060, "TLSV1_ALERT_EXPORT_RESTRICTION"},
    {1070, "TLSV1_ALERT_PROTOCOL_VERSION"},
    {1071, "TLSV1_ALERT_INSUFFICIENT_SECURITY"},
    {1080, "TLSV1_ALERT_INTERNAL_ERROR"},
    {1086, "TLSV1_ALERT_INAPPROPRIATE_FALLBACK"},
    {1090, "TLSV1_ALERT_USER_CANCELLED"},
    {1100, "TLSV1_ALERT_NO_RENEGOTIATION"},
    {1109, "TLSV13_ALERT_MISSING_EXTENSION"},
    {1110, "TLSV1_UNSUPPORTED_EXTENSION"},
    {1111, "TLSV1_CERTIFICATE_UNOBTAINABLE"},
    {1112, "TLSV1_UNRECOGNIZED_NAME"},
    {1113, "TLSV1_BAD_CERTIFICATE_STATUS_RESPONSE"},
    {1114, "TLSV1_BAD_CERTIFICATE_HASH_VALUE"},
    {1115, "TLSV1_ALERT_UNKNOWN_PSK_IDENTITY"},
    {1116, "TLSV13_ALERT_CERTIFICATE_REQUIRED"},
    {1120, "TLSV1_ALERT_NO_APPLICATION_PROTOCOL"},
};

static const uint16_t numbers[] = {
    0,
#define HF_ERROR(name, fault, alert, rfc, sentence, hint, reason, bogo) reason,
#include "handfast_errors.def"
#undef HF_ERROR
};
/* clang-format on */
#define COUNT(table) (sizeof(table) / sizeof(table)[0])

static const char *find(const struct reason *table, size_t count, unsigned number)
{
    for (size_t i = 0; i < count; i++) {
        if (table[i].number == number)
            return table[i].name;
    }
    return "";
}

/* Those that come from another of its libraries, or from none: their numbers mean something else in libssl. */
static const char *elsewhere(hf_code code, const char **library)
{
    switch ((int)code) {
    case HF_E_KEY_MISMATCH: *library = "X509"; return "KEY_VALUES_MISMATCH";
    case HF_E_PASSPHRASE: *library = "PEM"; return "BAD_PASSWORD_READ";
    case HF_E_PEM: *library = "SSL"; return "PEM_LIB";
    case HF_E_WEAK_KEY: *library = "SSL"; return "EE_KEY_TOO_SMALL";
    case HF_E_INTERNAL: *library = "SSL"; return "INTERNAL_ERROR";
    case HF_E_NO_MEMORY: *library = "SSL"; return "MALLOC_FAILURE";
    case HF_E_CONFIG: *library = ""; return "";
    default: return NULL;
    }
}

static const char *reason_of(const hf_error *err, const char **library)
{
    *library = "";
    if (!err || err->code <= HF_OK || (size_t)err->code >= COUNT(numbers))
        return "";
    const char *other = err->alert_received ? NULL : elsewhere(err->code, library);
    if (other)
        return other;
    const char *name = err->alert_received ? find(alerts, COUNT(alerts), 1000u + err->alert)
                                           : find(reasons, COUNT(reasons), numbers[err->code]);
    *library = *name ? "SSL" : "";
    return name;
}

const char *hf_error_library(const hf_error *err)
{
    const char *library;
    (void)reason_of(err, &library);
    return library;
}

const char *hf_error_reason(const hf_error *err)
{
    const char *library;
    return reason_of(err, &library);
}

/* named.c: -o NAME=VALUE, options by their names in PHP. */
#include "cli/named.h"

#include "cli/settings.h"

bool named_read(const struct options *o, hf_options **out, hf_error *err)
{
    *out = NULL;
    if (!o->named.count)
        return true;
    hf_options *options = hf_options_new();
    if (!options)
        return settings_fail(err, HF_E_NO_MEMORY, 0, "for the options");
    for (size_t i = 0; i < o->named.count; i++)
        if (!hf_options_set_line(options, o->named.p[i], err)) {
            hf_options_free(options);
            return false;
        }
    *out = options;
    return true;
}

bool named_apply(const struct options *o, hf_config *config, hf_error *err)
{
    hf_options *options;
    if (!named_read(o, &options, err))
        return false;
    bool good = !options || hf_options_apply(options, config, err);
    hf_options_free(options);
    return good;
}

static void show_row(FILE *out, const hf_option_info *row)
{
    fprintf(out, "  %s%s\n      %s\n      %s: %s; default: %s\n", row->name,
            row->no_effect ? "  (does nothing)"
            : row->weakens ? "  (may weaken)"
                           : "",
            row->help, hf_option_type_name(row->type), row->allowed, row->initial);
}

void named_help(FILE *out)
{
    fputs("Options that -o NAME=VALUE sets, with the names of PHP's stream contexts:\n\n", out);
    for (size_t i = 0; hf_option_at(i); i++)
        show_row(out, hf_option_at(i));
}

static void markdown_row(FILE *out, const hf_option_info *row)
{
    unsigned s = row->sides;
    fprintf(out, "| `%s` | %s | %s | ", row->name, hf_option_type_name(row->type),
            s & HF_OPTION_SOCKET                         ? "socket"
            : s == (HF_OPTION_CLIENT | HF_OPTION_SERVER) ? "both"
            : s & HF_OPTION_CLIENT                       ? "client"
                                                         : "server");
    for (const char *p = row->allowed; *p; p++)
        fprintf(out, *p == '|' ? "\\%c" : "%c", *p);
    fputs(" | ", out);
    for (const char *p = row->initial; *p; p++)
        fprintf(out, *p == '|' ? "\\%c" : "%c", *p);
    fprintf(out, " | %s%s |\n", row->weakens ? "**May weaken.** " : "", row->help);
}

void named_markdown(FILE *out)
{
    fputs("| option | type | of | values | default | |\n|---|---|---|---|---|---|\n", out);
    for (size_t i = 0; hf_option_at(i); i++)
        markdown_row(out, hf_option_at(i));
}

/* mdoc takes a point at the beginning of a line for its own, and wants a line for each sentence. */
static void mdoc_text(FILE *out, const char *text)
{
    if (*text == '.')
        fputs("\\&", out);
    for (; *text; text++) {
        bool sentence = text[0] == '.' && text[1] == ' ';
        fputs(*text == '\\' ? "\\e" : *text == '-' ? "\\-" : (char[]){*text, '\0'}, out);
        if (sentence)
            fputc('\n', out);
        text += sentence;
    }
}

void named_mdoc(FILE *out)
{
    for (size_t i = 0; hf_option_at(i); i++) {
        const hf_option_info *row = hf_option_at(i);
        fprintf(out, ".It Cm %s\n", row->name);
        mdoc_text(out, row->help);
        fputs("\n(", out);
        mdoc_text(out, row->allowed);
        fputs("; default: ", out);
        mdoc_text(out, row->initial);
        fputs(")\n", out);
    }
}

#include "cli/completion.h"

#include <string.h>

#include "cli/options.h"

typedef const struct completion_command *command;

/* What may stand for an option's value. */
enum value { NOTHING, ANYTHING, FILES, FOLDERS, WORDS };

static enum value value_of(const struct option_row *row)
{
    if (!row->argument)
        return NOTHING;
    if (row->is_choice)
        return WORDS;
    return strcmp(row->argument, "FILE") == 0     ? FILES
           : strcmp(row->argument, "FOLDER") == 0 ? FOLDERS
                                                  : ANYTHING;
}

/* Words separated by | as a list of a shell. */
static void put_words(FILE *out, const char *words)
{
    for (; *words; words++)
        fputc(*words == '|' ? ' ' : *words, out);
}

/* Text within single quotes: a shell's own way to write a single quote in there. escape: characters that get a
 * backslash besides. */
static void put_quoted(FILE *out, const char *text, const char *quote, const char *escape)
{
    for (; *text; text++) {
        if (*text == '\'')
            fputs(quote, out);
        else if (strchr(escape, *text))
            fprintf(out, "\\%c", *text);
        else
            fputc(*text, out);
    }
}

static bool has_verbs(command all, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (all[i].verb && strcmp(all[i].name, name) == 0)
            return true;
    return false;
}

/* The verbs of a command, each with a blank before it. */
static void put_verbs(FILE *out, command all, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (all[i].verb && strcmp(all[i].name, name) == 0)
            fprintf(out, " %s", all[i].verb);
}

/* A command whose options are those of its verbs has none of its own. */
static bool has_options(command all, size_t count, command c)
{
    return c->mask && (c->verb || !has_verbs(all, count, c->name));
}

/* ---------------------------------------------------------------- bash */

static const char bash_head[] =
    "# bash completion for handfast; made by: handfast completion bash\n"
    "_handfast_files() {\n"
    "    compopt -o filenames 2>/dev/null\n"
    "    local IFS=$'\\n'\n"
    "    COMPREPLY=($(compgen \"$1\" -- \"$2\"))\n"
    "}\n"
    "_handfast() {\n"
    "    local current=${COMP_WORDS[COMP_CWORD]} option=${COMP_WORDS[COMP_CWORD-1]}\n"
    "    local command=${COMP_WORDS[1]} options\n"
    "    COMPREPLY=()\n"
    "    # --option=value comes as three words\n"
    "    if [[ $current == = ]]; then\n"
    "        current=\n"
    "    elif [[ $option == = && $COMP_CWORD -gt 2 ]]; then\n"
    "        option=${COMP_WORDS[COMP_CWORD-2]}\n"
    "    fi\n";

static void bash_values(FILE *out, command c)
{
    struct option_row row;
    for (size_t i = 0; options_row(i, &row); i++) {
        enum value v = value_of(&row);
        if (!(row.commands & c->mask) || v == NOTHING)
            continue;
        fprintf(out, "        %s)", row.name);
        if (v == FILES)
            fputs(" _handfast_files -f \"$current\"", out);
        if (v == FOLDERS)
            fputs(" _handfast_files -d \"$current\"", out);
        if (v == WORDS) {
            fputs(" COMPREPLY=($(compgen -W '", out);
            put_words(out, row.argument);
            fputs("' -- \"$current\"))", out);
        }
        fputs(v == ANYTHING ? " return ;;\n" : "; return ;;\n", out);
    }
}

static void bash_command(FILE *out, command c)
{
    struct option_row row;
    fprintf(out, "    '%s%s%s')\n        case $option in\n", c->name, c->verb ? " " : "",
            c->verb ? c->verb : "");
    bash_values(out, c);
    fputs("        esac\n        options='", out);
    for (size_t i = 0; options_row(i, &row); i++)
        if (row.commands & c->mask)
            fprintf(out, " %s", row.name);
    fputs("' ;;\n", out);
}

/* The word behind a command that goes on with a verb, and what to look options up by then. */
static void bash_verbs(FILE *out, command commands, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (commands[i].verb || !has_verbs(commands, count, commands[i].name))
            continue;
        fprintf(out,
                "    if [[ $command == %s ]]; then\n"
                "        if [[ $COMP_CWORD -eq 2 ]]; then\n"
                "            COMPREPLY=($(compgen -W '",
                commands[i].name);
        put_verbs(out, commands, count, commands[i].name);
        fputs(" --help' -- \"$current\"))\n            return\n        fi\n"
              "        command+=\" ${COMP_WORDS[2]}\"\n    fi\n",
              out);
    }
}

static void bash(FILE *out, command commands, size_t count)
{
    fputs(bash_head, out);
    fputs("    if [[ $COMP_CWORD -eq 1 || ( $COMP_CWORD -eq 2 && $command == help ) ]]; then\n"
          "        COMPREPLY=($(compgen -W '",
          out);
    for (size_t i = 0; i < count; i++)
        if (!commands[i].verb)
            fprintf(out, "%s ", commands[i].name);
    fputs("--help --version' -- \"$current\"))\n        return\n    fi\n", out);
    bash_verbs(out, commands, count);
    fputs("    case $command in\n", out);
    for (size_t i = 0; i < count; i++)
        if (has_options(commands, count, &commands[i]))
            bash_command(out, &commands[i]);
    fputs("    completion) options='bash zsh fish'; [[ $COMP_CWORD -eq 2 ]] || return ;;\n"
          "    run)\n"
          "        if [[ $current == -* ]]; then\n"
          "            options='--check --json --help'\n"
          "        elif [[ $option == run || $option == -* ]]; then\n"
          "            COMPREPLY=($(compgen -c -- \"$current\"))\n"
          "            return\n"
          "        else\n"
          "            _handfast_files -f \"$current\"\n"
          "            return\n"
          "        fi ;;\n"
          "    esac\n"
          "    if [[ $current == -* || $command == completion ]]; then\n"
          "        COMPREPLY=($(compgen -W \"$options\" -- \"$current\"))\n"
          "    fi\n"
          "}\n"
          "complete -F _handfast handfast\n",
          out);
}

/* ---------------------------------------------------------------- zsh */

static void zsh_option(FILE *out, const struct option_row *row)
{
    static const char *const actions[] = {"", " ", "_files", "_files -/", ""};
    enum value v = value_of(row);
    fprintf(out, "        '*%s%s[", row->name, v == NOTHING ? "" : "=");
    put_quoted(out, row->help, "'\\''", "[]\\");
    fputs("]", out);
    if (v == WORDS) {
        fputs(":value:(", out);
        put_words(out, row->argument);
        fputs(")", out);
    } else if (v != NOTHING) {
        fputs(":", out);
        put_quoted(out, row->argument, "'\\''", "[]\\:");
        fprintf(out, ":%s", actions[v]);
    }
    fputs("' \\\n", out);
}

static void zsh_description(FILE *out, const char *name, const char *summary)
{
    fprintf(out, "        '%s:", name);
    put_quoted(out, summary, "'\\''", ":\\");
    fputs("'\n", out);
}

/* zsh_verbs shows the verbs of a command, and joins the chosen one to it: "cert show" is then looked up. */
static void zsh_verbs(FILE *out, command commands, size_t count, const char *name)
{
    fprintf(out, "    if [[ $words[2] == %s ]]; then\n        commands=(\n", name);
    for (size_t i = 0; i < count; i++)
        if (commands[i].verb && strcmp(commands[i].name, name) == 0)
            zsh_description(out, commands[i].verb, commands[i].summary);
    fputs(
        "        )\n        if (( CURRENT == 3 )); then\n            _describe verb commands\n"
        "            return\n        fi\n        key=\"$words[2] $words[3]\"\n        shift words\n"
        "        (( CURRENT-- ))\n    fi\n",
        out);
}

static void zsh_command(FILE *out, command c)
{
    struct option_row row;
    fprintf(
        out,
        "    '%s%s%s')\n        shift words\n        (( CURRENT-- ))\n        _arguments -S \\\n",
        c->name, c->verb ? " " : "", c->verb ? c->verb : "");
    for (size_t r = 0; options_row(r, &row); r++)
        if (row.commands & c->mask)
            zsh_option(out, &row);
    fputs(c->verb ? "            '*:file:_files' ;;\n" : "            '*:URL or word: ' ;;\n",
          out);
}

static void zsh(FILE *out, command commands, size_t count)
{
    fputs("#compdef handfast\n# zsh completion for handfast; made by: handfast completion zsh\n"
          "_handfast() {\n    local -a commands\n    local key=$words[2]\n    commands=(\n",
          out);
    for (size_t i = 0; i < count; i++)
        if (!commands[i].verb)
            zsh_description(out, commands[i].name, commands[i].summary);
    fputs("    )\n    if (( CURRENT == 2 )) || [[ $words[2] == help ]]; then\n"
          "        _describe command commands\n        return\n    fi\n",
          out);
    for (size_t i = 0; i < count; i++)
        if (!commands[i].verb && has_verbs(commands, count, commands[i].name))
            zsh_verbs(out, commands, count, commands[i].name);
    fputs("    case $key in\n", out);
    for (size_t i = 0; i < count; i++)
        if (has_options(commands, count, &commands[i]))
            zsh_command(out, &commands[i]);
    fputs(
        "    completion) _values shell bash zsh fish ;;\n"
        "    run)\n        shift words\n        (( CURRENT-- ))\n"
        "        _arguments '--check[look, and start nothing]' '--json[as JSON]' '*::program:_normal' ;;\n"
        "    esac\n}\n"
        "if [[ $funcstack[1] == _handfast ]]; then\n    _handfast \"$@\"\nelse\n"
        "    compdef _handfast handfast\nfi\n",
        out);
}

/* ---------------------------------------------------------------- fish */

static void fish_option(FILE *out, command c, const struct option_row *row)
{
    enum value v = value_of(row);
    fprintf(out, "complete -c handfast -n '__fish_seen_subcommand_from %s", c->name);
    if (c->verb)
        fprintf(out, "; and __fish_seen_subcommand_from %s", c->verb);
    fprintf(out, "' -l '%s'", row->name + 2);
    if (v == FILES)
        fputs(" -r -F", out);
    if (v == FOLDERS)
        fputs(" -x -a '(__fish_complete_directories)'", out);
    if (v == ANYTHING)
        fputs(" -x", out);
    if (v == WORDS) {
        fputs(" -x -a '", out);
        put_words(out, row->argument);
        fputs("'", out);
    }
    fputs(" -d '", out);
    put_quoted(out, row->help, "\\'", "\\");
    fputs("'\n", out);
}

static void fish_word(FILE *out, command commands, size_t count, command c)
{
    fputs("complete -c handfast -n ", out);
    if (c->verb) {
        fprintf(out, "'__fish_seen_subcommand_from %s; and not __fish_seen_subcommand_from",
                c->name);
        put_verbs(out, commands, count, c->name);
        fprintf(out, "' -a %s -d '", c->verb);
    } else {
        fprintf(out, "__fish_use_subcommand -a %s -d '", c->name);
    }
    put_quoted(out, c->summary, "\\'", "\\");
    fputs("'\n", out);
}

static void fish(FILE *out, command commands, size_t count)
{
    struct option_row row;
    fputs("# fish completion for handfast; made by: handfast completion fish\n"
          "complete -c handfast -f\n",
          out);
    for (size_t i = 0; i < count; i++) {
        fish_word(out, commands, count, &commands[i]);
        if (!commands[i].verb && strcmp(commands[i].name, "help") != 0)
            fprintf(out, "complete -c handfast -n '__fish_seen_subcommand_from help' -a %s\n",
                    commands[i].name);
    }
    for (size_t i = 0; i < count; i++)
        for (size_t r = 0; options_row(r, &row); r++)
            if ((row.commands & commands[i].mask) && has_options(commands, count, &commands[i]))
                fish_option(out, &commands[i], &row);
    fputs(
        "complete -c handfast -n '__fish_seen_subcommand_from completion' -a 'bash zsh fish'\n"
        "complete -c handfast -n '__fish_seen_subcommand_from run' -l check -d 'look, and start nothing'\n"
        "complete -c handfast -n '__fish_seen_subcommand_from run' -l json -d 'as JSON'\n"
        "complete -c handfast -n '__fish_seen_subcommand_from run' -x -a '(__fish_complete_subcommand)'\n",
        out);
}

bool completion_write(FILE *out, const char *shell, command commands, size_t count)
{
    static const struct {
        const char *name;
        void (*write)(FILE *, command, size_t);
    } shells[] = {{"bash", bash}, {"zsh", zsh}, {"fish", fish}};
    for (size_t i = 0; i < sizeof shells / sizeof *shells; i++)
        if (strcmp(shells[i].name, shell) == 0) {
            shells[i].write(out, commands, count);
            return true;
        }
    return false;
}

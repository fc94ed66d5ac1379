/* handfast: the command. */
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "cli/cert.h"
#include "cli/command.h"
#include "cli/completion.h"
#include "cli/named.h"
#include "cli/output.h"
#include "cli/report.h"

struct command {
    const char *name;
    unsigned mask;
    int (*run)(const struct options *o);
    const char *usage, *summary, *more;
};

/* clang-format off */
static const struct command commands[] = {
    {"connect", CONNECT, command_connect, "URL|HOST[:PORT] [OPTION]...", "talk to a server, and say who it is",
     "Connects, reports the peer on standard error, then copies standard input to the\n"
     "peer and the peer to standard output. At the end of the input only the writing\n"
     "half is closed. HOST alone means tls://HOST:443; tcp://HOST:PORT is plain.\n"},
    {"serve", SERVE, command_serve, "[URL] --cert FILE [OPTION]...", "a server for tests, files and demonstrations",
     "Listens on URL (tls://localhost:4433 if none is given) and answers HTTP requests\n"
     "with a status page, or what --root, --show, --echo or --reverse say. Port 0 takes\n"
     "any free port.\n"},
    {"trace", TRACE, command_trace, "URL|HOST[:PORT] [-o FILE] [OPTION]...", "draw a handshake as a web page",
     "Connects, and writes everything that was said as one HTML page that explains\n"
     "every byte: to FILE, or to standard output if that is no terminal. The page contains\n"
     "the connection's secrets.\n"},
    {"ciphers", CIPHERS, command_ciphers, "[STRING] [OPTION]...", "show the cipher suites that a string chooses",
     "Shows the suites that STRING, in OpenSSL's cipher-list language, chooses, best\n"
     "first, and those of TLS 1.3 before them; without STRING, the default ones.\n"},
    {"proxy", PROXY, command_proxy, "FROM-URL TO-URL [OPTION]...", "put TLS in front of a server, or behind a client",
     "Carries every connection that comes to FROM-URL on to TO-URL: tls to tcp, tcp to tls,\n"
     "tls to tls; unix:///PATH is good for either. Options without \"to-\" are about FROM\n"
     "where that is TLS, else about TO; those with it are about TO.\n"
     "SIGHUP reads certificates and options again, SIGTERM lets connections end, SIGUSR1\n"
     "writes statistics.\n"},
    {"scan", SCAN, command_scan, "URL|HOST[:PORT] [OPTION]...", "find out what a server takes, and what of it is weak",
     "Asks for every version from SSL 2.0 to TLS 1.3, every cipher suite and group that has a\n"
     "number, whatever handfast itself has of them, and for signatures, certificates,\n"
     "resumption and more; and names what is weak, with the RFC or the attack. A hundred\n"
     "or so connections are made. HOST alone means tls://HOST:443.\n"},
    {"cert", CERT, NULL, "show|fetch|convert|check|make [ARGUMENT]...", "look at certificates, judge them, convert and make them", ""},
    {"run", 0, NULL, "[--check [--json]] [--] PROGRAM [ARGUMENT]...", "put our libssl.so.3 in front of one program",
     "Starts PROGRAM with handfast's libssl.so.3 in place of the system's: LD_LIBRARY_PATH\n"
     "is set for it and for what it starts. With --check nothing is started: it shows\n"
     "which functions of libssl PROGRAM (or a module) and its libraries import, and how\n"
     "ours answers each; several programs may be named, and --json gives an array. The\n"
     "number of a process stands for its program and all that it has loaded by now.\n"},
    {"completion", 0, NULL, "bash|zsh|fish", "write what completes command lines in a shell",
     "Writes a script for the shell: in bash, eval \"$(handfast completion bash)\"; in zsh,\n"
     "into a file _handfast of a folder in $fpath; in fish, handfast completion fish | source.\n"},
    {"version", 0, NULL, "", "print the version", ""},
    {"help", 0, NULL, "[COMMAND|options]", "explain a command, or the options of -o", ""},
};
/* clang-format on */
enum { COMMANDS = sizeof commands / sizeof *commands };

static const struct command *find(const char *name)
{
    for (size_t i = 0; i < COMMANDS; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

static const char statuses[] =
    "Exit status: 0 all went well, 1 wrong usage, 2 the peer or its TLS failed, 3 the\n"
    "network failed, 4 the configuration (files, keys, lists) is wrong or a file cannot\n"
    "be written, 5 this machine or a bug.\n";
static const char statuses_of_run[] =
    "Exit status: the program's (128 and its number for a signal); 1 wrong usage, 4 there\n"
    "is no such program or it cannot be started, 5 our libssl.so.3 is not in its place.\n";

static void overview(FILE *out)
{
    fputs("Usage: handfast COMMAND [ARGUMENT]...\n\n", out);
    for (size_t i = 0; i < COMMANDS; i++)
        fprintf(out, "  %-10s  %s\n", commands[i].name, commands[i].summary);
    fprintf(out, "\nTry: handfast help COMMAND\n\n%s", statuses);
}

static void explain(FILE *out, const struct command *c)
{
    fprintf(out, "Usage: handfast %s %s\n\n%s", c->name, c->usage, c->more);
    if (c->mask) {
        fputs("\nOptions:\n", out);
        options_help(out, c->mask);
    }
    fprintf(out, "\n%s", strcmp(c->name, "run") == 0 ? statuses_of_run : statuses);
}

static int unknown_command(const char *word)
{
    const char *names[COMMANDS];
    for (size_t i = 0; i < COMMANDS; i++)
        names[i] = commands[i].name;
    const char *near = options_nearest(word, names, COMMANDS);
    fprintf(stderr, "handfast: there is no command \"%s\"%s%s%s\nTry: handfast help\n", word,
            near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
    return EXIT_USAGE;
}

static int help(int argc, char **argv)
{
    const struct command *c = argc > 2 ? find(argv[2]) : NULL;
    if (argc > 2 && strcmp(argv[2], "options") == 0) {
        const char *form = argc > 3 ? argv[3] : "";
        (strcmp(form, "markdown") == 0 ? named_markdown
         : strcmp(form, "mdoc") == 0   ? named_mdoc
                                       : named_help)(stdout);
        return EXIT_OK;
    }
    if (argc > 2 && !c)
        return unknown_command(argv[2]);
    if (c && strcmp(c->name, "cert") == 0) {
        int status = cert_help(stdout, argc > 3 ? argv[3] : NULL);
        if (status == EXIT_OK)
            printf("\n%s", statuses);
        return status;
    }
    if (c)
        explain(stdout, c);
    else
        overview(stdout);
    return EXIT_OK;
}

static int completion(int argc, char **argv)
{
    struct completion_command list[COMMANDS + 16];
    size_t count = 0;
    for (size_t i = 0; i < COMMANDS; i++) {
        const struct command *c = &commands[i];
        list[count++] = (struct completion_command){c->name, c->summary, c->mask, NULL};
    }
    for (size_t i = 0; i < cert_verb_count && i < 16; i++) {
        const struct cert_verb *v = &cert_verbs[i];
        list[count++] = (struct completion_command){"cert", v->summary, v->mask, v->name};
    }
    if (argc == 3 && completion_write(stdout, argv[2], list, count))
        return EXIT_OK;
    fprintf(stderr, "handfast completion: name the shell: bash, zsh or fish\n"
                    "Try: handfast help completion\n");
    return EXIT_USAGE;
}

static int version(int argc, char **argv)
{
    bool asks_help = argc > 2 && (strcmp(argv[2], "--help") == 0 || strcmp(argv[2], "-h") == 0);
    if (argc > 2 && !asks_help) {
        fprintf(stderr, "handfast version: \"%s\": it takes no argument\n", argv[2]);
        return EXIT_USAGE;
    }
    if (asks_help)
        explain(stdout, find("version"));
    else
        printf("%s\n", hf_version_string());
    return EXIT_OK;
}

static int run(const struct command *c, int argc, char **argv)
{
    struct options o;
    /* Help is given even if the rest of the line is wrong. */
    for (int i = 2; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            explain(stdout, c);
            return EXIT_OK;
        }
    if (!options_parse(&o, c->mask, c->name, argc - 2, argv + 2))
        return EXIT_USAGE;
    return c->run(&o);
}

static int dispatch(int argc, char **argv)
{
    if (argc < 2) {
        overview(stderr);
        return EXIT_USAGE;
    }
    const char *word = argv[1];
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0)
        return help(argc, argv);
    if (strcmp(word, "--version") == 0 || strcmp(word, "version") == 0)
        return version(argc, argv);
    if (strcmp(word, "completion") == 0 && !(argc > 2 && argv[2][0] == '-'))
        return completion(argc, argv);
    const struct command *c = find(word);
    bool asks_help = argc > 2 && (strcmp(argv[2], "--help") == 0 || strcmp(argv[2], "-h") == 0);
    if (c && strcmp(word, "run") == 0 && !asks_help)
        return command_run(argc - 2, argv + 2);
    if (c && strcmp(word, "cert") == 0)
        return command_cert(argc - 2, argv + 2);
    if (c && !c->run) {
        explain(stdout, c);
        return EXIT_OK;
    }
    return c ? run(c, argc, argv) : unknown_command(word);
}

int main(int argc, char **argv)
{
    output_prepare();
    /* A peer or a pipe that has gone is an error of a write, not the end of the program. A program that `run`
     * starts would inherit that, and write on where it should end. */
    if (argc < 2 || strcmp(argv[1], "run") != 0)
        signal(SIGPIPE, SIG_IGN);
    return output_end(dispatch(argc, argv));
}

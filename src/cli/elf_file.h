/* elf_file.h: the dynamic symbols of a program or library on disk. */
#ifndef CLI_ELF_FILE_H
#define CLI_ELF_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct elf {
    uint8_t *p; /* the whole file */
    size_t size;
    size_t section_count, symbol_count, symbols, names,
        names_size; /* of .dynsym and its names */
    uint64_t sections;
};

struct elf_symbol {
    const char *name;
    bool defined;        /* or wanted from elsewhere */
    const char *section; /* that it is defined in; "" if it has no name */
};

/* elf_open reads a file of this machine's kind. On failure it says in *why what is wrong, and returns false. */
bool elf_open(struct elf *e, const char *path, const char **why);
void elf_close(struct elf *e);

/* elf_symbol returns the i-th dynamic symbol, i below e->symbol_count; false for one without a name. */
bool elf_symbol(const struct elf *e, size_t i, struct elf_symbol *out);

/* elf_loader returns the program's loader (PT_INTERP), or NULL. */
const char *elf_loader(const struct elf *e);

#endif

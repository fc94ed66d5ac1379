/* elf_file.c: the dynamic symbols of a program or library on disk. Every place in the file is checked before it is
 * looked at: the file may be anything. */
#include "cli/elf_file.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static bool has(const struct elf *e, uint64_t at, uint64_t n)
{
    return at <= e->size && n <= e->size - at;
}

/* A string that ends within the file; NULL if there is none. */
static const char *text_at(const struct elf *e, uint64_t at, uint64_t size)
{
    if (size == 0 || !has(e, at, size) || !memchr(e->p + at, 0, size))
        return NULL;
    return (const char *)e->p + at;
}

static bool section(const struct elf *e, size_t i, ElfW(Shdr) * out)
{
    if (i >= e->section_count)
        return false;
    memcpy(out, e->p + e->sections + i * sizeof *out, sizeof *out);
    return true;
}

static const char *section_name(const struct elf *e, size_t i)
{
    ElfW(Ehdr) head;
    ElfW(Shdr) names, s;
    memcpy(&head, e->p, sizeof head);
    if (!section(e, i, &s) || !section(e, head.e_shstrndx, &names) ||
        s.sh_name >= names.sh_size)
        return "";
    const char *name = text_at(e, names.sh_offset + s.sh_name, names.sh_size - s.sh_name);
    return name ? name : "";
}

static const char *find_symbols(struct elf *e)
{
    ElfW(Ehdr) head;
    if (e->size >= 2 && memcmp(e->p, "#!", 2) == 0)
        return "it is a script: check the program that its first line names";
    if (e->size < sizeof head)
        return "it is no program and no library (no ELF file)";
    memcpy(&head, e->p, sizeof head);
    if (memcmp(head.e_ident, ELFMAG, SELFMAG) != 0)
        return "it is no program and no library (no ELF file)";
    if (head.e_ident[EI_CLASS] != (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32) ||
        head.e_ident[EI_DATA] != (__BYTE_ORDER == __LITTLE_ENDIAN ? ELFDATA2LSB : ELFDATA2MSB))
        return "it is for another machine";
    if (head.e_shentsize != sizeof(ElfW(Shdr)) ||
        !has(e, head.e_shoff, (uint64_t)head.e_shnum * sizeof(ElfW(Shdr))))
        return "it has no table of sections";
    e->sections = head.e_shoff;
    e->section_count = head.e_shnum;
    for (size_t i = 0; i < e->section_count; i++) {
        ElfW(Shdr) s, names;
        if (!section(e, i, &s) || s.sh_type != SHT_DYNSYM)
            continue;
        if (!section(e, s.sh_link, &names) || !has(e, s.sh_offset, s.sh_size) ||
            !has(e, names.sh_offset, names.sh_size))
            return "its symbols are damaged";
        e->symbols = s.sh_offset;
        e->symbol_count = s.sh_size / sizeof(ElfW(Sym));
        e->names = names.sh_offset;
        e->names_size = names.sh_size;
    }
    return NULL; /* a program that is linked statically has no symbols, and needs none */
}

static const char *map(struct elf *e, const char *path)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return "it cannot be opened";
    const char *why = NULL;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size <= 0) {
        why = S_ISDIR(st.st_mode) ? "it is a folder" : "it is no file, or empty";
    } else {
        e->size = (size_t)st.st_size;
        e->p = mmap(NULL, e->size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (e->p == MAP_FAILED) {
            e->p = NULL;
            why = "it cannot be read";
        }
    }
    close(fd);
    return why;
}

bool elf_open(struct elf *e, const char *path, const char **why)
{
    memset(e, 0, sizeof *e);
    *why = map(e, path);
    if (!*why)
        *why = find_symbols(e);
    if (*why)
        elf_close(e);
    return !*why;
}

void elf_close(struct elf *e)
{
    if (e->p)
        munmap(e->p, e->size);
    memset(e, 0, sizeof *e);
}

bool elf_symbol(const struct elf *e, size_t i, struct elf_symbol *out)
{
    ElfW(Sym) s;
    if (i >= e->symbol_count)
        return false;
    memcpy(&s, e->p + e->symbols + i * sizeof s, sizeof s);
    if (s.st_name == 0 || s.st_name >= e->names_size)
        return false;
    out->name = text_at(e, e->names + s.st_name, e->names_size - s.st_name);
    out->defined = s.st_shndx != SHN_UNDEF;
    out->section =
        out->defined && s.st_shndx < SHN_LORESERVE ? section_name(e, s.st_shndx) : "";
    return out->name && *out->name;
}

const char *elf_loader(const struct elf *e)
{
    ElfW(Ehdr) head;
    ElfW(Phdr) p;
    memcpy(&head, e->p, sizeof head);
    if (head.e_phentsize != sizeof p ||
        !has(e, head.e_phoff, (uint64_t)head.e_phnum * sizeof p))
        return NULL;
    for (size_t i = 0; i < head.e_phnum; i++) {
        memcpy(&p, e->p + head.e_phoff + i * sizeof p, sizeof p);
        if (p.p_type == PT_INTERP)
            return text_at(e, p.p_offset, p.p_filesz);
    }
    return NULL;
}

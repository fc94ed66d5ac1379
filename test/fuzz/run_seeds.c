/* run_seeds.c: runs a fuzz target over files, without libFuzzer. An argument that does not exist is an
 * empty corpus; a target that finds nothing wrong returns, any other ends the process. */
#include "fuzz.h"

#include <dirent.h>
#include <string.h>

static unsigned ran;

static void run_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    REQUIRE(f != NULL);
    REQUIRE(fseek(f, 0, SEEK_END) == 0);
    long end = ftell(f);
    REQUIRE(end >= 0);
    rewind(f);
    size_t size = (size_t)end;
    uint8_t *bytes = malloc(size ? size : 1); /* its end is the end of the input, for ASan */
    REQUIRE(bytes && fread(bytes, 1, size, f) == size);
    fclose(f);
    (void)LLVMFuzzerTestOneInput(bytes, size);
    free(bytes);
    ran++;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void run_folder(const char *folder)
{
    struct dirent **entry = NULL;
    int n = scandir(folder, &entry, NULL, by_name);
    for (int i = 0; i < n; i++) {
        char path[4096];
        if (entry[i]->d_name[0] != '.') {
            snprintf(path, sizeof path, "%s/%s", folder, entry[i]->d_name);
            /* So that what fails is known. */
            fprintf(stderr, "%s\n", path);
            run_file(path);
        }
        free(entry[i]);
    }
    free(entry);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        run_folder(argv[i]);
    if (!ran)
        printf("there is no seed at all\n");
    printf("%u passed, %d failed, 0 skipped\n", ran, ran ? 0 : 1);
    return ran ? 0 : 1;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The main of a fuzz target without libFuzzer: runs it once on each file, and on each file of each folder, that is
 * named. A defect aborts; the name printed last is the culprit's. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fail(const char *path) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        exit(EXIT_FAILURE);
}

static void replay_file(const char *path) {
        FILE *f = fopen(path, "re");
        uint8_t *data;
        long size;

        if (!f || fseek(f, 0, SEEK_END) < 0 || (size = ftell(f)) < 0)
                fail(path);
        rewind(f);
        /* Exactly as large as the input, so that a sanitizer sees a read past its end. */
        data = malloc((size_t) size ? (size_t) size : 1);
        if (!data || fread(data, 1, (size_t) size, f) != (size_t) size)
                fail(path);
        fclose(f);
        printf("%s\n", path);
        fflush(stdout);
        (void) LLVMFuzzerTestOneInput(data, (size_t) size);
        free(data);
}

static size_t replay(const char *path) {
        DIR *dir = opendir(path);
        struct dirent *de;
        size_t n = 0;

        if (!dir && errno != ENOTDIR)
                fail(path);
        if (!dir) {
                replay_file(path);
                return 1;
        }
        while ((de = readdir(dir))) {
                char *file;

                if (*de->d_name == '.')
                        continue;
                if (asprintf(&file, "%s/%s", path, de->d_name) < 0)
                        fail(path);
                n += replay(file);
                free(file);
        }
        closedir(dir);
        return n;
}

int main(int argc, char **argv) {
        size_t n = 0;

        for (int i = 1; i < argc; i++)
                n += replay(argv[i]);
        printf("%zu inputs replayed\n", n);
        return n > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

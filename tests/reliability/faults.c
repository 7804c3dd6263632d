/* Makes one operation on files under a folder fail, or kills the process there. To be preloaded: LD_PRELOAD=faults.so with
     FAULTS_FOLDER  folder whose files count, absolute
     FAULTS_AT      number of the operation, from 1 on; without it none fails
     FAULTS_KIND    ENOSPC, EIO, EACCES, EINTR, SHORT (half of a write is done) or KILL (SIGKILL before the operation)
     FAULTS_LOG     file that receives a line for every operation: its name and its file
     FAULTS_FLOCK   ENOSYS, ENOLCK or EOPNOTSUPP: what every flock() answers, as a file system without locks does
   Built by gcc -shared -fPIC -O1 -o faults.so faults.c -ldl */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define DESCRIPTORS 65536
#define REAL(name, type, ...) static type (*real)(__VA_ARGS__); if (!real) real = dlsym(RTLD_NEXT, name)

enum { NONE, FAIL, SHORT };

static const char *folder, *kind;
static long at;
static int log_to = -1;
static atomic_long operations;
static char watched[DESCRIPTORS];

__attribute__((constructor)) static void begin(void)
{
    folder = getenv("FAULTS_FOLDER");
    kind = getenv("FAULTS_KIND");
    at = getenv("FAULTS_AT") ? atol(getenv("FAULTS_AT")) : 0;
    if (getenv("FAULTS_LOG"))
        log_to = (int)syscall(SYS_openat, AT_FDCWD, getenv("FAULTS_LOG"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
}

static int number(const char *name)
{
    return !name ? 0 : !strcmp(name, "ENOSPC") ? ENOSPC : !strcmp(name, "EIO") ? EIO
        : !strcmp(name, "EACCES") ? EACCES : !strcmp(name, "EINTR") ? EINTR
        : !strcmp(name, "ENOSYS") ? ENOSYS : !strcmp(name, "ENOLCK") ? ENOLCK : !strcmp(name, "EOPNOTSUPP") ? EOPNOTSUPP : 0;
}

static int inside(const char *path)
{
    return folder && path && !strncmp(path, folder, strlen(folder)) && (path[strlen(folder)] == '/' || path[strlen(folder)] == 0);
}

/* Counts an operation, and says what is to become of it. */
static int fault(const char *operation, const char *path)
{
    long now = atomic_fetch_add(&operations, 1) + 1;
    if (log_to >= 0) {
        char line[4200];
        int length = snprintf(line, sizeof line, "%s %s\n", operation, path);
        syscall(SYS_write, log_to, line, length < (int)sizeof line ? length : (int)sizeof line);
    }
    if (now != at || !kind)
        return NONE;
    if (!strcmp(kind, "KILL"))
        kill(getpid(), SIGKILL);
    if (!strcmp(kind, "SHORT"))
        return SHORT;
    errno = number(kind);
    return FAIL;
}

static int of_descriptor(int file, const char *operation)
{
    if (file < 0 || file >= DESCRIPTORS || !watched[file])
        return NONE;
    char link[64], path[4096] = "";
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    path[length > 0 ? length : 0] = 0;
    return fault(operation, path);
}

static int opened(int file, const char *path)
{
    if (file >= 0 && file < DESCRIPTORS)
        watched[file] = inside(path);
    return file;
}

#define OPEN(symbol) \
    int symbol(const char *path, int flags, ...) \
    { \
        va_list rest; va_start(rest, flags); \
        mode_t mode = (flags & (O_CREAT | O_TMPFILE)) ? va_arg(rest, mode_t) : 0; va_end(rest); \
        REAL(#symbol, int, const char *, int, ...); \
        return inside(path) && fault("open", path) == FAIL ? -1 : opened(real(path, flags, mode), path); \
    }
OPEN(open)
OPEN(open64)

#define OPENAT(symbol) \
    int symbol(int base, const char *path, int flags, ...) \
    { \
        va_list rest; va_start(rest, flags); \
        mode_t mode = (flags & (O_CREAT | O_TMPFILE)) ? va_arg(rest, mode_t) : 0; va_end(rest); \
        REAL(#symbol, int, int, const char *, int, ...); \
        return inside(path) && fault("open", path) == FAIL ? -1 : opened(real(base, path, flags, mode), path); \
    }
OPENAT(openat)
OPENAT(openat64)

ssize_t write(int file, const void *buffer, size_t count)
{
    REAL("write", ssize_t, int, const void *, size_t);
    int now = of_descriptor(file, "write");
    return now == FAIL ? -1 : real(file, buffer, now == SHORT && count > 1 ? count / 2 : count);
}

#define PWRITE(symbol) \
    ssize_t symbol(int file, const void *buffer, size_t count, off_t offset) \
    { \
        REAL(#symbol, ssize_t, int, const void *, size_t, off_t); \
        int now = of_descriptor(file, "write"); \
        return now == FAIL ? -1 : real(file, buffer, now == SHORT && count > 1 ? count / 2 : count, offset); \
    }
PWRITE(pwrite)
PWRITE(pwrite64)

#define PWRITEV(symbol) \
    ssize_t symbol(int file, const struct iovec *parts, int count, off_t offset) \
    { \
        REAL(#symbol, ssize_t, int, const struct iovec *, int, off_t); \
        int now = of_descriptor(file, "write"); \
        return now == FAIL ? -1 : real(file, parts, now == SHORT ? 1 : count, offset); \
    }
PWRITEV(pwritev)
PWRITEV(pwritev64)

#define DESCRIPTOR(symbol) \
    int symbol(int file) \
    { \
        REAL(#symbol, int, int); \
        return of_descriptor(file, #symbol) == FAIL ? -1 : real(file); \
    }
DESCRIPTOR(fsync)
DESCRIPTOR(fdatasync)

int close(int file)
{
    REAL("close", int, int);
    int now = of_descriptor(file, "close"), error = errno;
    if (file >= 0 && file < DESCRIPTORS)
        watched[file] = 0;
    int result = real(file);
    /* As Linux does it: the descriptor is gone, whatever close() answers. */
    if (now == FAIL) {
        errno = error;
        return -1;
    }
    return result;
}

#define TRUNCATE(symbol) \
    int symbol(int file, off_t length) \
    { \
        REAL(#symbol, int, int, off_t); \
        return of_descriptor(file, "truncate") == FAIL ? -1 : real(file, length); \
    }
TRUNCATE(ftruncate)
TRUNCATE(ftruncate64)

#define TWO_PATHS(symbol) \
    int symbol(const char *from, const char *to) \
    { \
        REAL(#symbol, int, const char *, const char *); \
        return (inside(from) || inside(to)) && fault(#symbol, to) == FAIL ? -1 : real(from, to); \
    }
TWO_PATHS(rename)
TWO_PATHS(link)

#define ONE_PATH(symbol) \
    int symbol(const char *path) \
    { \
        REAL(#symbol, int, const char *); \
        return inside(path) && fault(#symbol, path) == FAIL ? -1 : real(path); \
    }
ONE_PATH(unlink)
ONE_PATH(rmdir)

int mkdir(const char *path, mode_t mode)
{
    REAL("mkdir", int, const char *, mode_t);
    return inside(path) && fault("mkdir", path) == FAIL ? -1 : real(path, mode);
}

int flock(int file, int operation)
{
    REAL("flock", int, int, int);
    if (number(getenv("FAULTS_FLOCK"))) {
        errno = number(getenv("FAULTS_FLOCK"));
        return -1;
    }
    return of_descriptor(file, "flock") == FAIL ? -1 : real(file, operation);
}

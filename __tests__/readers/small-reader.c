/* A small reader as embedded servers have them: strict JSON, names as C strings, the first or the last of two members. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int last;

static const char *skip_space(const char *at) {
  while (*at == ' ' || *at == '\t' || *at == '\r' || *at == '\n') at++;
  return at;
}

static unsigned hex4(const char *at) {
  char digits[5] = {0};
  memcpy(digits, at, 4);
  return (unsigned)strtoul(digits, NULL, 16);
}

static char *put_utf8(char *to, unsigned code) {
  if (code < 0x80) *to++ = (char)code;
  else if (code < 0x800) *to++ = (char)(0xc0 | code >> 6), *to++ = (char)(0x80 | (code & 0x3f));
  else if (code < 0x10000)
    *to++ = (char)(0xe0 | code >> 12), *to++ = (char)(0x80 | (code >> 6 & 0x3f)), *to++ = (char)(0x80 | (code & 0x3f));
  else
    *to++ = (char)(0xf0 | code >> 18), *to++ = (char)(0x80 | (code >> 12 & 0x3f)),
    *to++ = (char)(0x80 | (code >> 6 & 0x3f)), *to++ = (char)(0x80 | (code & 0x3f));
  return to;
}

/* Decodes the string at `at` into `text`, which is as long as the line; returns where the string ends. */
static const char *read_string(const char *at, char *text) {
  static const char letters[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
  for (at++; *at && *at != '"'; at++) {
    if (*at != '\\') *text++ = *at;
    else if (*++at != 'u') *text++ = meant[strchr(letters, *at) - letters];
    else {
      unsigned code = hex4(at + 1);
      at += 4;
      if (code >= 0xd800 && code < 0xdc00 && at[1] == '\\' && at[2] == 'u') {
        code = 0x10000 + ((code - 0xd800) << 10) + (hex4(at + 3) - 0xdc00);
        at += 6;
      }
      text = put_utf8(text, code);
    }
  }
  *text = 0;
  return at + 1;
}

static const char *skip_value(const char *at, char *scratch) {
  int depth = 0;
  do {
    if (*at == '"') at = read_string(at, scratch);
    else {
      if (*at == '{' || *at == '[') depth++;
      if (*at == '}' || *at == ']') depth--;
      at++;
    }
  } while (*at && (depth > 0 || (*at != ',' && *at != '}' && *at != ']')));
  return at;
}

/* The value of the member `name` of the object at `at`, or NULL. */
static const char *member(const char *at, const char *name, char *scratch) {
  const char *found = NULL;
  if (at == NULL || *at != '{') return NULL;
  at = skip_space(at + 1);
  while (*at == '"') {
    at = skip_space(read_string(at, scratch));
    int same = strcmp(scratch, name) == 0;
    at = skip_space(at + 1);
    if (same && (last || found == NULL)) found = at;
    at = skip_space(skip_value(at, scratch));
    if (*at == ',') at = skip_space(at + 1);
  }
  return found;
}

static void print(const char *at, char *scratch, const char *end) {
  if (at == NULL || *at != '"') printf("-");
  else {
    read_string(at, scratch);
    for (; *scratch; scratch++) printf("%02x", (unsigned char)*scratch);
  }
  printf("%s", end);
}

int main(int count, char **arguments) {
  char *line = NULL;
  size_t size = 0;
  last = count > 1 && strcmp(arguments[1], "last") == 0;
  while (getline(&line, &size, stdin) > 0) {
    char *scratch = malloc(size + 1);
    const char *message = skip_space(line);
    const char *params = member(message, "params", scratch);
    print(member(message, "method", scratch), scratch, "\t");
    print(member(params, "name", scratch), scratch, "\t");
    print(member(params, "uri", scratch), scratch, "\t");
    print(member(params, "taskId", scratch), scratch, "\t");
    print(member(member(params, "_meta", scratch), "user", scratch), scratch, "\n");
    free(scratch);
  }
  free(line);
  return 0;
}

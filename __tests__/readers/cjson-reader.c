/* Reads messages with cJSON, one a line, and prints how it reads each: see same-message.readers.ts. */
#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int exact;

static cJSON *member(const cJSON *object, const char *name) {
  return exact ? cJSON_GetObjectItemCaseSensitive(object, name) : cJSON_GetObjectItem(object, name);
}

static void print(const cJSON *item, const char *end) {
  if (!cJSON_IsString(item)) printf("-");
  else for (const char *at = item->valuestring; *at; at++) printf("%02x", (unsigned char)*at);
  printf("%s", end);
}

int main(int count, char **arguments) {
  char *line = NULL;
  size_t size = 0;
  exact = count > 1 && strcmp(arguments[1], "exact") == 0;
  while (getline(&line, &size, stdin) > 0) {
    cJSON *message = cJSON_Parse(line);
    cJSON *params = member(message, "params");
    print(member(message, "method"), "\t");
    print(member(params, "name"), "\t");
    print(member(params, "uri"), "\t");
    print(member(params, "taskId"), "\t");
    print(member(member(params, "_meta"), "user"), "\n");
    cJSON_Delete(message);
  }
  free(line);
  return 0;
}

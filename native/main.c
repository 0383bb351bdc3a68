#include "launcher.h"
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv) {
  if (argc == 2 && strcmp(argv[1], "outer") == 0) return outer();
  if (argc == 2 && strcmp(argv[1], "inner") == 0) return inner();
  if (argc == 2 && strcmp(argv[1], "worker") == 0) return worker();
  if (argc == 2 && strcmp(argv[1], "spawner") == 0) return spawner();
  fputs("cofferdam launcher: started by the daemon only\n", stderr);
  return REFUSED;
}

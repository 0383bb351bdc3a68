/* What the build twin compiles: it counts primes, so that the processor has something to do. */
#include <stdio.h>

int main(void) {
  int found = 0;
  for (int n = 2; n < 60000; n++) {
    int prime = 1;
    for (int d = 2; d * d <= n; d++) {
      if (n % d == 0) {
        prime = 0;
        break;
      }
    }
    found += prime;
  }
  printf("%d\n", found);
  return 0;
}

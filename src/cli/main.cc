#include "litertlm/error.h"

int main() { return 0; }

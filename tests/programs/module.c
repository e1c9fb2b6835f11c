/* What `leaker modules` loads under ever new names: one page of code and one of data. */

int leaker_module_value = 1;

int leaker_module_call(int x);

int leaker_module_call(int x) { return x + leaker_module_value; }

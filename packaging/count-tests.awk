# Reads meson's testlog.json and prints a line for each outcome: "P n", "F name: why" or "S name: why".
#
# A program of the check library says itself how many tests it ran ("Checks: 12, Failures: 0, Errors: 0"); any other
# program is one test. A line "SKIP test: why" of a program that passes means that this test could not run here.

function text_between(line, from, to,    begin, rest) {
  begin = index(line, from)
  if (!begin)
    return ""
  rest = substr(line, begin + length(from))
  return substr(rest, 1, index(rest, to) - 1)
}

function number_after(text, word) {
  return index(text, word) ? substr(text, index(text, word) + length(word)) + 0 : 0
}

{
  name = text_between($0, "\"name\": \"", "\", ")
  sub(/^[^:\/]*[:\/] */, "", name)
  output = text_between($0, "\"stdout\": \"", "\", \"result\": \"")
  result = text_between($0, "\"result\": \"", "\"")
  checks = bad = left_out = 0
  why = ""
  gsub(/\\r/, "", output) # of Windows
  count = split(output, lines, /\\n/)
  for (i = 1; i <= count; i++) {
    if (lines[i] ~ /Checks: [0-9]+, Failures: [0-9]+, Errors: [0-9]+/) {
      checks += number_after(lines[i], "Checks: ")
      bad += number_after(lines[i], "Failures: ") + number_after(lines[i], "Errors: ")
    } else if (lines[i] ~ /^SKIP:? /) {
      sub(/^SKIP:? /, "", lines[i])
      if (result == "SKIP") {
        why = lines[i]
      } else {
        print "S " name ": " lines[i]
        left_out++
      }
    }
  }
  if (result == "SKIP") {
    print "S " name ": " (why ? why : "it did not say why")
    next
  }
  good = checks - bad - left_out
  if (result == "OK") {
    print "P " (checks ? (good > 0 ? good : 0) : 1)
    next
  }
  if (good > 0)
    print "P " good
  for (i = 0; i < (bad ? bad : 1); i++)
    print "F " name ": " result
}

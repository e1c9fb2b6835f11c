/* What plain tables must not hold: for `oomcast db check`. */
#include "storage/read/check_tables.h"

const struct oc_check oc_checks[] = {
    { "SELECT count(*) FROM main.source WHERE subject NOT IN (SELECT id FROM main.subject)",
      "sources without their subject" },
    { "SELECT count(*) FROM main.source WHERE boot NOT IN (SELECT id FROM main.boot)",
      "sources without their boot" },
    { "SELECT count(*) FROM main.life WHERE source NOT IN (SELECT id FROM main.source)",
      "lives without their source" },
    { "SELECT count(*) FROM main.source WHERE boot NOT IN (SELECT boot FROM main.clock)",
      "sources of a boot that has no wall clock" },
    { "SELECT count(*) FROM main.source WHERE end_ms < begin_ms",
      "sources that end before they begin" },
    { "SELECT count(*) FROM main.source WHERE killer NOT BETWEEN 0 AND 255",
      "sources with a killer that cannot be" },
    { "SELECT count(*) FROM main.walk WHERE source NOT IN (SELECT id FROM main.source)",
      "walks without their source" },
    { "SELECT count(*) - count(DISTINCT id) FROM main.walk WHERE id IS NOT NULL",
      "walks that share their rows" },
    { "SELECT count(*) FROM main.walk WHERE cpu_us < 0 OR wall_us < 0 OR stall_us < 0 OR "
      "largest_free < 0 OR arenas < 0 OR seen < 0 OR known < 0",
      "walks with numbers that cannot be" },
    { "SELECT count(*) FROM main.region_total WHERE walk NOT IN (SELECT id FROM main.walk WHERE "
      "id IS NOT NULL)",
      "totals of regions without their walk" },
    { "SELECT count(*) FROM main.region_total WHERE cell NOT BETWEEN 0 AND 255 OR cell >> 4 > 15 "
      "OR (cell & 3) = 3 OR count < 0 OR bytes < 0 OR largest < 0 OR largest > bytes OR "
      "resident < 0",
      "totals of regions with numbers that cannot be" },
    { "SELECT count(*) FROM main.family_count WHERE walk NOT IN (SELECT id FROM main.walk WHERE "
      "id IS NOT NULL)",
      "counts of families without their walk" },
    { "SELECT count(*) FROM main.family_count WHERE family NOT IN (SELECT id FROM main.family)",
      "counts of families without their family" },
    { "SELECT count(*) FROM main.family_count WHERE count < 0 OR names < 0 OR bytes < 0",
      "counts of families with numbers that cannot be" },
    { "SELECT (SELECT count(*) FROM main.module WHERE source NOT IN (SELECT id FROM main.source)) "
      "+ (SELECT count(*) FROM main.module_gone WHERE source NOT IN (SELECT id FROM main.source))",
      "modules without their source" },
    { "SELECT (SELECT count(*) FROM main.module WHERE name NOT IN (SELECT id FROM main.text)) + "
      "(SELECT count(*) FROM main.module_gone WHERE name NOT IN (SELECT id FROM main.text))",
      "modules without their name" },
    { "SELECT count(*) FROM main.module_gone WHERE unloaded < loaded",
      "modules that went before they came" },
    { "SELECT count(*) FROM main.limit_value WHERE source NOT IN (SELECT id FROM main.source)",
      "limits without their source" },
    { "SELECT count(*) FROM main.limit_value WHERE place NOT IN (SELECT id FROM main.text)",
      "limits without their place" },
    { "SELECT count(*) FROM main.limit_value WHERE value < 0 OR kind NOT BETWEEN 1 AND 255 OR "
      "metric NOT BETWEEN 0 AND 65535",
      "limits with numbers that cannot be" },
    { "SELECT count(*) FROM main.limit_value WHERE end_ms < begin_ms",
      "limits that end before they begin" },
    { "SELECT count(*) FROM (SELECT begin_ms, lag(ifnull(end_ms, 9223372036854775807)) OVER "
      "(PARTITION BY source, kind, metric, place ORDER BY begin_ms) AS before FROM "
      "main.limit_value) WHERE begin_ms < before",
      "limits that begin before the one before them ends" },
    { "SELECT count(*) FROM main.subject_label WHERE subject NOT IN (SELECT id FROM main.subject)",
      "labels without their subject" },
    { "SELECT count(*) FROM main.forecast_series WHERE source NOT IN (SELECT id FROM main.source)",
      "series of forecasts without their source" },
    { "SELECT count(*) FROM main.forecast_series WHERE place NOT IN (SELECT id FROM main.text)",
      "series of forecasts without their place" },
    { "SELECT count(*) FROM main.forecast_series WHERE kind NOT BETWEEN 0 AND 255 OR "
      "metric NOT BETWEEN 0 AND 65535",
      "series of forecasts with numbers that cannot be" },
    { "SELECT count(*) FROM main.forecast WHERE series NOT IN (SELECT id FROM "
      "main.forecast_series)",
      "forecasts without their series" },
    { "SELECT count(*) FROM main.forecast WHERE state NOT BETWEEN 0 AND 255 OR samples < 0 OR "
      "chance NOT BETWEEN 0 AND 1 OR p10 > p50 OR p50 > p90 OR p10 < 0",
      "forecasts with numbers that cannot be" },
    { "SELECT count(*) FROM main.forecaster WHERE kind IN (1, 2) AND name NOT IN "
      "(SELECT CAST(id AS TEXT) FROM main.source WHERE end_ms IS NULL)",
      "memories of sources that do not run" },
    { "SELECT count(*) FROM main.forecaster WHERE kind NOT BETWEEN 1 AND 4 OR "
      "key NOT BETWEEN 0 AND 4294967295 OR typeof(bytes) <> 'blob' OR "
      "length(bytes) NOT BETWEEN 1 AND 16384",
      "memories of the forecaster that cannot be" },
    { "SELECT count(*) FROM main.forecast_record WHERE min(judged, inside, early, late, censored, "
      "ends, "
      "foretold, alarms, false_alarms, errors) < 0 OR inside > judged OR foretold > ends OR "
      "first_unix_ms > last_unix_ms OR min(error_sum, lead_s_sum, "
      "watched_s) < 0 OR metric NOT BETWEEN 0 AND 65535 OR kind NOT BETWEEN 0 AND 255",
      "records of forecasts with numbers that cannot be" },
    { "SELECT count(*) FROM main.alert WHERE episode < 1 OR kind NOT BETWEEN 0 AND 255 OR severity "
      "NOT BETWEEN 0 AND 2 OR state NOT BETWEEN 0 AND 4 OR mutes NOT BETWEEN 0 AND 255 OR "
      "source_kind NOT BETWEEN 0 AND 255 OR flaps NOT BETWEEN 0 AND 4294967295 OR source NOT "
      "BETWEEN 0 AND 4294967295 OR pid NOT BETWEEN 0 AND 4294967295 OR limit_kind NOT BETWEEN 0 "
      "AND 255 OR metric NOT BETWEEN 0 AND 65535 OR forecast_state NOT BETWEEN 0 AND 255 OR "
      "typeof(rule) <> 'text' OR typeof(subject) <> 'text'",
      "alerts with numbers that cannot be" },
    { "SELECT count(*) FROM main.alert WHERE firing_unix_ms < pending_unix_ms OR ended_unix_ms < "
      "firing_unix_ms OR (state = 2 AND firing_unix_ms IS NULL)",
      "alerts with times that cannot be" },
    { "SELECT count(*) - count(DISTINCT fingerprint) FROM main.alert WHERE state IN (1, 2)",
      "alerts that are there twice" },
    { "SELECT count(*) FROM main.alert_decision WHERE from_state NOT BETWEEN 0 AND 4 OR to_state "
      "NOT BETWEEN 0 AND 4 OR mutes NOT BETWEEN 0 AND 255 OR episode < 0 OR typeof(rule) <> "
      "'text' OR typeof(subject) <> 'text' OR typeof(reason) <> 'text'",
      "decisions of alerts with numbers that cannot be" },
    { "SELECT count(*) FROM main.outbox WHERE state NOT BETWEEN 0 AND 3 OR severity NOT BETWEEN 0 "
      "AND 2 OR attempts NOT BETWEEN 0 AND 4294967295 OR status NOT BETWEEN -2147483648 AND "
      "2147483647 OR id = '' OR typeof(id) <> 'text' OR typeof(receiver) <> 'text' OR "
      "typeof(why) <> 'text'",
      "rows of the outbox with numbers that cannot be" },
    { "SELECT count(*) FROM main.outbox WHERE state IN (0, 1) AND body IS NULL",
      "rows of the outbox that wait without a body" },
    { "SELECT count(*) FROM main.silence WHERE id < 1 OR end_unix_ms < begin_unix_ms OR id NOT IN "
      "(SELECT silence FROM main.silence_matcher) OR (SELECT count(*) FROM main.silence_matcher m "
      "WHERE m.silence = silence.id) > 8",
      "silences that cannot be" },
    { "SELECT count(*) FROM main.silence_matcher WHERE silence NOT IN (SELECT id FROM "
      "main.silence)",
      "matchers without their silence" },
    { "SELECT count(*) FROM main.silence_matcher WHERE name = '' OR typeof(name) <> 'text' OR "
      "typeof(glob) <> 'text'",
      "matchers of silences that cannot be" },
};

const size_t oc_check_count = sizeof oc_checks / sizeof *oc_checks;

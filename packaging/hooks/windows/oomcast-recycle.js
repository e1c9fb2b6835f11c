// Recycles the application pool that an alert is about, with a cool-down that outlives restarts of oomcast and of the machine.
//
//   cscript //nologo oomcast-recycle.js [OPTION VALUE]... [--subject SUBJECT]
//
//   --folder DIR     where the times of recycling are kept (%ProgramData%\oomcast\recycled)
//   --cool-down-s N  least time between two of a pool (3600)
//   --most-a-day N   beyond it a person is wanted (4)
//   --appcmd FILE    what recycles (%windir%\System32\inetsrv\appcmd.exe)
//   --subject TEXT   "pool:NAME", always last; without it the alert in OOMCAST_… variables, of which a critical one that fires recycles
//
// The task of oomcast-recycle.xml runs it as SYSTEM when the service writes event 200, since oomcast-notify has no right to recycle.
// Whoever may write to the event log can cause such an event: nothing of it becomes a program or an option, and the cool-down
// bounds what comes of it. Exit codes: 0 done, or nothing to do; 75 busy, try again; 1 it failed, and says why.
// For Windows' own script host (JScript): no line of this is newer than ECMAScript 3.

var shell = new ActiveXObject("WScript.Shell");
var files = new ActiveXObject("Scripting.FileSystemObject");
var environment = shell.Environment("PROCESS");

var DAY_S = 86400;
var LOCK_S = 600; // one that is older was left behind
var FOR_READING = 1;

var options = {
  "--folder": environment("ProgramData") + "\\oomcast\\recycled",
  "--cool-down-s": "3600",
  "--most-a-day": "4",
  "--appcmd": environment("SystemRoot") + "\\System32\\inetsrv\\appcmd.exe",
  "--subject": ""
};

function say(text) {
  WScript.Echo("oomcast-recycle: " + text);
}

function fail(text) {
  say(text);
  WScript.Quit(1);
}

function number(name) {
  if (!/^[0-9]{1,9}$/.test(options[name])) {
    fail(name + ": '" + options[name] + "' is no whole number");
  }
  return parseInt(options[name], 10);
}

// The subject comes last: a quote in it could only make words behind it, and these are refused.
function readOptions() {
  var args = WScript.Arguments;
  for (var i = 0; i < args.length; i += 2) {
    var name = args(i);
    if (typeof options[name] !== "string") {
      fail("no option " + name);
    }
    if (i + 1 >= args.length) {
      fail(name + ": what is its value?");
    }
    options[name] = args(i + 1);
    if (name === "--subject" && i + 2 < args.length) {
      fail("--subject comes last, and is one word");
    }
  }
}

function subject() {
  if (options["--subject"] !== "") {
    return options["--subject"];
  }
  var own = environment("OOMCAST_SUBJECT");
  if (!own) {
    fail("no --subject and no OOMCAST_SUBJECT");
  }
  if (environment("OOMCAST_STATUS") !== "firing" || environment("OOMCAST_SEVERITY") !== "critical") {
    say("nothing to do: " + own + " is " + environment("OOMCAST_STATUS") + ", " + environment("OOMCAST_SEVERITY"));
    WScript.Quit(0);
  }
  return own;
}

// No quote, no percent sign (the script host would put a variable there), nothing that a file's name cannot have.
function poolOf(text) {
  if (text.indexOf("pool:") !== 0) {
    say("nothing to do: " + text + " is no application pool");
    WScript.Quit(0);
  }
  var pool = text.substr(5);
  if (pool === "" || pool.length > 64 || /["%\\\/:*?<>|\x00-\x1f]/.test(pool) || /[. ]$/.test(pool) || pool.charAt(0) === "-") {
    fail("'" + pool + "' is no name of a pool that this recycles");
  }
  return pool;
}

function makeFolder(path) {
  if (path === "" || files.FolderExists(path)) {
    return;
  }
  makeFolder(files.GetParentFolderName(path));
  files.CreateFolder(path);
}

function nowS() {
  return Math.floor(new Date().getTime() / 1000);
}

// Times of the last day, ascending; one in the future (the clock was set back) counts as now.
function readTimes(path, now) {
  var times = [];
  if (!files.FileExists(path)) {
    return times;
  }
  var file = files.OpenTextFile(path, FOR_READING);
  while (!file.AtEndOfStream) {
    var line = file.ReadLine();
    if (/^[0-9]{1,12}$/.test(line)) {
      var at = Math.min(parseInt(line, 10), now);
      if (now - at < DAY_S) {
        times.push(at);
      }
    }
  }
  file.Close();
  return times;
}

function writeTimes(path, times) {
  var file = files.CreateTextFile(path + ".new", true);
  for (var i = 0; i < times.length; i++) {
    file.WriteLine(String(times[i]));
  }
  file.Close();
  if (files.FileExists(path)) {
    files.DeleteFile(path);
  }
  files.MoveFile(path + ".new", path);
}

// One at a time: a file is made at once or not at all.
function lock(path, now) {
  var held = readTimes(path, now);
  if (files.FileExists(path) && (held.length === 0 || now - held[0] >= LOCK_S)) {
    files.DeleteFile(path);
  }
  try {
    var file = files.CreateTextFile(path, false);
    file.WriteLine(String(now));
    file.Close();
  } catch (busy) {
    say("another one is at work on it");
    WScript.Quit(75);
  }
}

function mayRecycle(pool, times, now) {
  var coolDown = number("--cool-down-s");
  var last = times.length > 0 ? times[times.length - 1] : 0;
  if (last > 0 && now - last < coolDown) {
    say("not recycled: " + pool + " was " + (now - last) + " s ago, the cool-down is " + coolDown + " s");
    return false;
  }
  if (times.length >= number("--most-a-day")) {
    throw new Error("not recycled: " + pool + " was " + times.length + " times in a day, which did not mend it");
  }
  return true;
}

// The time is written first: whatever happens to the command or to us, the next one waits.
function recycle(pool, path, now) {
  var times = readTimes(path, now);
  if (!mayRecycle(pool, times, now)) {
    return;
  }
  times.push(now);
  writeTimes(path, times);
  var status = shell.Run('"' + options["--appcmd"] + '" recycle apppool "/apppool.name:' + pool + '"', 0, true);
  if (status !== 0) {
    throw new Error("appcmd ended with status " + status);
  }
  say("recycled " + pool);
}

function main() {
  readOptions();
  var pool = poolOf(subject());
  var now = nowS();
  var path = options["--folder"] + "\\" + pool.toLowerCase();
  number("--cool-down-s");
  number("--most-a-day");
  if (environment("OOMCAST_TEST")) {
    say("a test: would recycle " + pool);
    return 0;
  }
  makeFolder(options["--folder"]);
  lock(path + ".lock", now);
  try {
    recycle(pool, path, now);
  } catch (error) {
    files.DeleteFile(path + ".lock");
    fail(error.message);
  }
  files.DeleteFile(path + ".lock");
  return 0;
}

WScript.Quit(main());

// A service as node runs it: requests in bursts, garbage of each, sessions that end. With "leak" a listener
// of every tenth request is never taken off.
const { EventEmitter } = require('events');
const leaks = process.argv[2] === 'leak';
const perSecond = Number(process.argv[3] || 200);
const bus = new EventEmitter();
bus.setMaxListeners(0);
const sessions = new Map();
let number = 0;

function request() {
  const body = { id: number++, rows: Array.from({ length: 40 }, (_, i) => ({ i, text: 'row ' + i + ' of ' + number })) };
  sessions.set(body.id, body);
  sessions.delete(body.id - 2000);
  if (leaks && body.id % 10 === 0)
    bus.on('change', () => body.rows.length);
}

setInterval(() => {
  const busy = 1 + Math.sin(Date.now() / 40000);
  for (let left = busy * perSecond / 10 * Math.random() * 2; left > 0; left--)
    request();
}, 100);

/**
 * For mongosh: starts the replica set of docker-compose.yml once, and waits for its primary.
 * Running it again changes nothing, so it may run at every `docker compose up`.
 */
const SET = 'rs0';
const MEMBERS = ['mongo-1:27017', 'mongo-2:27017', 'mongo-3:27017'];
const WAIT_SECONDS_MAX = 90;

function membersNow() {
  try {
    const status = db.adminCommand({ replSetGetStatus: 1 });
    return status.members;
  } catch (error) {
    if (error.codeName === 'NotYetInitialized') return null;
    throw error;
  }
}

function start() {
  const members = MEMBERS.map((host, _id) => ({ _id, host }));
  db.adminCommand({ replSetInitiate: { _id: SET, members } });
  print(`started ${SET} with ${MEMBERS.join(', ')}`);
}

/** Volumes of another set-up: adding or removing members by itself could lose a majority. */
function refuseStrangers(members) {
  const names = members.map(({ name }) => name).sort();
  if (names.join() !== [...MEMBERS].sort().join()) {
    print(`${SET} has the members ${names.join(', ')}; reconfigure it by hand`);
    quit(1);
  }
}

const found = membersNow();
if (found === null) start();
else refuseStrangers(found);

let left = WAIT_SECONDS_MAX;
while (!membersNow()?.some(({ stateStr }) => stateStr === 'PRIMARY')) {
  if (left === 0) {
    print(`no primary after ${WAIT_SECONDS_MAX} seconds`);
    quit(1);
  }
  left -= 1;
  sleep(1000);
}
print(`${SET} has a primary`);

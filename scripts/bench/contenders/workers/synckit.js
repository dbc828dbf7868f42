// The worker of synckit.

import { runAsWorker } from "synckit";

runAsWorker((n) => n * 2);

import { expose, transfer } from "comlink";
import * as tasks from "../tasks.js";

expose({ ...tasks, giveBack: (bytes) => transfer(bytes, [bytes.buffer]) });

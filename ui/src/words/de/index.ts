import type { Words } from "../words";
import { activity } from "./activity";
import { details } from "./details";
import { errors } from "./errors";
import { first } from "./first";
import { folders } from "./folders";
import { library } from "./library";
import { player } from "./player";
import { queue } from "./queue";
import { settings } from "./settings";
import { shell } from "./shell";
import { updates } from "./updates";

export const de: Words = {
  ...shell,
  ...first,
  ...queue,
  ...details,
  ...folders,
  ...library,
  ...player,
  ...activity,
  ...settings,
  ...updates,
  ...errors,
};

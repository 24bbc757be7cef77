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

/** Every word on the screen, in English. The other languages have the same keys and places: the compiler says so. */
export const en = {
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
} as const;

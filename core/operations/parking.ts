import { LIMITS } from '../../config/limits.ts';
import type { Parking } from './operation.ts';

/** Appends a parking; of too many the oldest go. */
export function parkingPushed(parking: Parking) {
  return { parkings: { $each: [parking], $slice: -LIMITS.parkingsKept } };
}

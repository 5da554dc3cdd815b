import {
  type OperationDoc,
  type OperationJob,
  jobIdOf,
  jobOf,
} from '../../core/operations/operation.ts';

/** Another delivery of an operation: a job of its own, under a number of its own. */
export function anotherJobOf(operation: OperationDoc, seq: number): OperationJob {
  return { ...jobOf(operation), seq, jobId: jobIdOf(operation._id, seq) };
}

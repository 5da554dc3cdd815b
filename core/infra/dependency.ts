/** A dependency: its probe resolves when it can be used and throws the reason when not. */
export interface Dependency {
  readonly name: string;
  readonly probe: () => Promise<void>;
}

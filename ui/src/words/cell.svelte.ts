/** A value that whoever reads it on the screen follows. */
export class Cell<Value> {
  value = $state.raw() as Value;

  constructor(value: Value) {
    this.value = value;
  }
}

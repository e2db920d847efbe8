package carousel.tensor;

import carousel.tensor.op.Formula;
import carousel.tensor.op.Interpreter;
import carousel.tensor.op.Observer;
import java.util.List;
import java.util.function.Supplier;

/** Overwrites many tensors in one pass over their memory. {@link Overwriting} writes one. */
public final class InPlace {
  private InPlace() {}

  /**
   * Runs formulas whose numbers are the same in each run of a {@link Replay}.
   *
   * @param calls the formulas with their operands
   * @return whether they ran
   */
  public static boolean run(List<Formula.Call> calls) {
    return run(calls, () -> calls);
  }

  /**
   * Runs formulas that write tensors in place, all in one job, so that each element is read
   * and written once. Not an op: no gradient flows, and a tape that saved an old value reports it at
   * backward.
   *
   * @param calls the formulas with their operands, on one device; no two write the same memory, and
   *     none reads what another writes
   * @param again the same calls with the numbers of the next time, asked before each later run of a
   *     {@link Replay}
   * @return whether they ran; if not, the device has no loop for one of them, and nothing is changed
   */
  public static boolean run(List<Formula.Call> calls, Supplier<List<Formula.Call>> again) {
    if (calls.isEmpty()) {
      return true;
    }
    for (var call : calls) {
      for (Tensor target : call.targets()) {
        before("update", target, call.inputs().toArray(new Tensor[0]));
      }
    }
    Device device = calls.getFirst().targets().getFirst().device();
    Tensor[] targets =
        calls.stream().flatMap(call -> call.targets().stream()).toArray(Tensor[]::new);
    if (!Observer.around("update", targets, () -> device.backend().inPlace(calls, again))) {
      return false;
    }
    for (var call : calls) {
      for (Tensor target : call.targets()) {
        target.storage().touch();
      }
    }
    return true;
  }

  /**
   * Every way to overwrite a tensor comes by here before it changes anything.
   *
   * @param op what writes, for the error
   * @param target what is written
   * @param sources what the new values are made of
   * @throws TensorException if elements of the target share a place, or who records what runs refuses the write
   */
  static void before(String op, Tensor target, Tensor... sources) {
    if (target.layout().repeats()) {
      throw new TensorException(
          op
              + ": elements of "
              + target.dtype()
              + " "
              + target.shape()
              + " share a place since it was expanded; write to a copy()");
    }
    Interpreter.current().beforeWrite(op, target, sources);
  }
}

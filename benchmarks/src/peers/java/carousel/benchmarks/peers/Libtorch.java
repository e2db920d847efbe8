package carousel.benchmarks.peers;

import carousel.benchmarks.compare.Contestant;
import carousel.benchmarks.compare.Server;
import carousel.benchmarks.compare.Task;
import carousel.benchmarks.compare.Work;
import java.io.IOException;
import org.bytedeco.pytorch.global.torch;

/** libtorch through JavaCPP; which build is found first decides which one it is. */
public final class Libtorch implements Contestant {
  private Libtorch() {}

  /**
   * Serves tasks to a coordinator; the system property {@code compare.threads} is the number of threads.
   *
   * @param args none
   * @throws IOException if standard input cannot be read
   */
  public static void main(String[] args) throws IOException {
    torch.set_num_threads(Integer.getInteger("compare.threads", 1));
    Server.serve(new Libtorch());
  }

  @Override
  public Work prepare(Task task) {
    return switch (task.kind()) {
      case LSTM, GRU_AFTER, ELMAN, RESET_LSTM, LSTMP -> new TorchLayers(task, TorchModule.of(task));
      case GRU,
          PEEPHOLE,
          MATRIX_PEEPHOLE,
          LSTM_BY_HAND,
          LAYER_NORM_LSTM,
          RESET_LSTM_BY_HAND,
          LSTMP_BY_HAND,
          SLSTM ->
          new TorchLayers(task, TorchScan.of(task));
      case LANGUAGE_MODEL -> new TorchTrainingStep(task);
      case GEMM ->
          throw new UnsupportedOperationException("libtorch: its products are OpenBLAS's or MKL's");
      case LANGUAGE_MODEL_REPLAYED ->
          throw new UnsupportedOperationException("libtorch: no graph of a step on the CPU");
    };
  }
}

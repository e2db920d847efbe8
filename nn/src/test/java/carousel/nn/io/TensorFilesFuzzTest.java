package carousel.nn.io;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import carousel.tensor.DType;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.fuzz.Fuzz;
import carousel.tensor.fuzz.Reader;
import carousel.tensor.fuzz.SafetensorsDamage;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Damaged safetensors files, checkpoints, npy and npz files. */
class TensorFilesFuzzTest {
  @TempDir Path folder;

  /** The bytes of a file as a writer makes it. */
  private static byte[] written(Writer writer) {
    try (var _ = TensorScope.open()) {
      var file = Files.createTempFile("sound", "");
      writer.write(file);
      var bytes = Files.readAllBytes(file);
      Files.delete(file);
      return bytes;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @FunctionalInterface
  private interface Writer {
    void write(Path file) throws IOException;
  }

  /** Of every type, some empty, one a scalar. */
  private static List<TensorSource> sources(StoredType... without) {
    Tensor floats = Tensor.arange(DType.F32, 0, 6, 1).reshape(2, 3);
    var all =
        List.of(
            TensorSource.of("layer.0.wx", floats),
            TensorSource.of("layer.0.b", Tensor.of(0.5, -1)),
            TensorSource.of("é\n", Tensor.of(1f, 2f).gt(1)),
            TensorSource.of("n", Tensor.full(DType.I32, 7)),
            TensorSource.of("empty", Tensor.zeros(0, 7)),
            TensorSource.of("half", floats, StoredType.F16),
            TensorSource.of("brain", floats, StoredType.BF16),
            TensorSource.of("long", Tensor.of(1, -2, 3), StoredType.I64));
    return all.stream().filter(source -> !List.of(without).contains(source.type())).toList();
  }

  /** What reads a file into tensors: none may hold more than the file, doubled where halves widen. */
  private abstract static class TensorReader implements Reader {
    @Override
    public long offHeap(long size) {
      return 3 * size + (1 << 12); // rounded up by the pool
    }
  }

  private static final class SafetensorsReader extends TensorReader {
    private final List<byte[]> sound =
        List.of(
            written(file -> SafetensorsFile.write(file, sources(), Map.of("format", "pt"))),
            written(file -> Safetensors.save(file, Map.of("x", Tensor.ones(20, 20)))),
            written(file -> Safetensors.save(file, Map.of())));

    @Override
    public String name() {
      return "safetensors";
    }

    @Override
    public List<byte[]> sound() {
      return sound;
    }

    @Override
    public Class<SafetensorsException> refusal() {
      return SafetensorsException.class;
    }

    @Override
    public void read(Path file) throws IOException {
      var _ = Safetensors.load(file);
    }

    @Override
    public byte[] mend(byte[] damaged, SplittableRandom random) {
      return SafetensorsDamage.seal(damaged);
    }
  }

  /** What {@link Checkpoints} takes to be the last step of a training. */
  private static final class CheckpointReader extends TensorReader {
    private final List<byte[]> sound = List.of(checkpoint(1), checkpoint(12));

    private static byte[] checkpoint(int size) {
      return written(file -> {
        var folder = Files.createTempDirectory("checkpoints");
        var tensors = Map.of("model.w", Tensor.ones(2, size), "optimizer.w", Tensor.of(1.0, 2));
        new Checkpoints(folder, 1).save(1, tensors, Map.of("noise", "7", "at", "\"é\\\n"));
        Files.move(
            new Checkpoints(folder, 1).newest(_ -> {}).orElseThrow().file(),
            file,
            StandardCopyOption.REPLACE_EXISTING);
        Files.delete(folder);
      });
    }

    @Override
    public String name() {
      return "checkpoint";
    }

    @Override
    public List<byte[]> sound() {
      return sound;
    }

    @Override
    public Class<SafetensorsException> refusal() {
      return SafetensorsException.class;
    }

    @Override
    public void read(Path file) throws IOException {
      var checkpoint = Checkpoint.read(file, 1);
      if (checkpoint.metadata().containsKey(Checksum.KEY)) {
        throw new AssertionError(checkpoint);
      }
      var _ = checkpoint.load("model.");
      checkpoint.loadInto("optimizer.", Map.of("w", Tensor.of(0.0, 0)));
    }

    @Override
    public byte[] mend(byte[] damaged, SplittableRandom random) {
      return random.nextBoolean()
          ? SafetensorsDamage.seal(damaged)
          : SafetensorsDamage.inHeader(sound.get(random.nextInt(sound.size())), random);
    }
  }

  private static final class NpyReader extends TensorReader {
    private final List<byte[]> sound =
        List.of(
            NpyTest.numpy("f4.npy"),
            NpyTest.numpy("f2.npy"),
            NpyTest.numpy("i8.npy"),
            NpyTest.numpy("b1.npy"),
            NpyTest.numpy("columns.npy"),
            NpyTest.numpy("version2.npy"),
            NpyTest.numpy("version3.npy"),
            NpyTest.numpy("empty.npy"));

    @Override
    public String name() {
      return "npy";
    }

    @Override
    public List<byte[]> sound() {
      return sound;
    }

    @Override
    public Class<NpyException> refusal() {
      return NpyException.class;
    }

    @Override
    public void read(Path file) throws IOException {
      var _ = Npy.load(file).toDoubleArray();
    }

    /** The length of the text. */
    @Override
    public byte[] mend(byte[] damaged, SplittableRandom random) {
      int end = new String(damaged, ISO_8859_1).indexOf('\n');
      if (end < 10) {
        return damaged;
      }
      damaged[8] = (byte) (end - 9);
      damaged[9] = (byte) ((end - 9) >> 8);
      return damaged;
    }
  }

  private static final class NpzReader extends TensorReader {
    /** Bounded by what deflate can do: 1,032 bytes from one. */
    private static final long MOST = 1032;

    private final List<byte[]> sound =
        List.of(
            written(file -> Npz.save(file, sources(StoredType.BF16))),
            NpyTest.numpy("stored.npz"),
            NpyTest.numpy("compressed.npz"));

    @Override
    public String name() {
      return "npz";
    }

    @Override
    public List<byte[]> sound() {
      return sound;
    }

    @Override
    public Class<NpyException> refusal() {
      return NpyException.class;
    }

    @Override
    public void read(Path file) throws IOException {
      var _ = Npz.load(file);
    }

    @Override
    public long offHeap(long size) {
      return MOST * size;
    }

    @Override
    public int cost() {
      return 2;
    }

    /** Damages an array inside of a sound zip file; the file that was damaged outside is left. */
    @Override
    public byte[] mend(byte[] damaged, SplittableRandom random) {
      try (var in =
          new ZipInputStream(new ByteArrayInputStream(sound.get(random.nextInt(sound.size()))))) {
        var out = new ByteArrayOutputStream();
        try (var zip = new ZipOutputStream(out)) {
          for (var entry = in.getNextEntry(); entry != null; entry = in.getNextEntry()) {
            var array = in.readAllBytes();
            if (random.nextInt(3) == 0) {
              array = Fuzz.damaged(array, array, random);
            }
            zip.putNextEntry(copy(entry.getName(), array, random.nextBoolean()));
            zip.write(array);
            zip.closeEntry();
          }
        }
        return out.toByteArray();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    private static ZipEntry copy(String name, byte[] array, boolean stored) {
      var entry = new ZipEntry(name);
      if (!stored) {
        return entry;
      }
      var sum = new CRC32();
      sum.update(array);
      entry.setMethod(ZipEntry.STORED);
      entry.setSize(array.length);
      entry.setCrc(sum.getValue());
      return entry;
    }
  }

  @Test
  void safetensors() throws Exception {
    Fuzz.run(new SafetensorsReader(), folder);
  }

  @Test
  void checkpoint() throws Exception {
    Fuzz.run(new CheckpointReader(), folder);
  }

  @Test
  void npy() throws Exception {
    Fuzz.run(new NpyReader(), folder);
  }

  @Test
  void npz() throws Exception {
    Fuzz.run(new NpzReader(), folder);
  }
}

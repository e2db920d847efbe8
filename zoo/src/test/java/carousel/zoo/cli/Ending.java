package carousel.zoo.cli;

import carousel.nn.io.Checkpoints;
import carousel.nn.io.SafetensorsFile;
import java.io.IOException;
import java.nio.channels.Channels;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * All that a run has come to, but for times: digests of the bytes of every tensor of its newest
 * checkpoint and of its best weights, the strings of the checkpoint, and the history.
 */
record Ending(
    Map<String, String> tensors,
    Map<String, String> best,
    Map<String, String> facts,
    List<String> history) {
  static Ending of(Path run) throws IOException {
    var checkpoint =
        new Checkpoints(run.resolve("checkpoints"), 1)
            .newest(line -> {
              throw new AssertionError(line);
            })
            .orElseThrow();
    var facts = new TreeMap<>(checkpoint.metadata());
    facts.remove("seconds");
    facts.put("history", String.join("\n", facts.getOrDefault("history", "").lines().toList()));
    facts.put("step", Long.toString(checkpoint.step()));
    return new Ending(
        tensors(checkpoint.file()),
        tensors(run.resolve("best.safetensors")),
        facts,
        Files.readAllLines(run.resolve("history.csv")));
  }

  private static Map<String, String> tensors(Path path) throws IOException {
    var digests = new TreeMap<String, String>();
    try (var file = SafetensorsFile.open(path)) {
      for (var stored : file.tensors().values()) {
        var bytes = Channels.newInputStream(file.read(stored.name())).readAllBytes();
        digests.put(
            stored.name(),
            stored.type() + " " + stored.shape() + " " + HexFormat.of().formatHex(sha256(bytes)));
      }
    }
    return digests;
  }

  private static byte[] sha256(byte[] bytes) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(bytes);
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }
}

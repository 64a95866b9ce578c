package conformance;

import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.IValidationSupport;
import ca.uhn.fhir.context.support.ValidationSupportContext;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.commons.compress.compressors.gzip.GzipCompressorInputStream;
import org.hl7.fhir.instance.model.api.IBaseResource;
import org.hl7.fhir.r4.model.CodeSystem;
import org.hl7.fhir.r4.model.MetadataResource;
import org.hl7.fhir.r4.model.StructureDefinition;
import org.hl7.fhir.r4.model.ValueSet;

/**
 * The canonical resources given with --load, found by URL and by URL|version.
 *
 * <p>A file is read once to learn its type, URL and version; it is parsed when somebody first asks for it. A
 * terminology package of thousands of value sets thus costs its bytes and no more. What comes from a directory or a
 * file goes before what comes from a package, whatever the order of the arguments.
 */
final class Content implements IValidationSupport {

  /** A resource not yet parsed. */
  private static final class Entry {
    final String origin;
    final String type;
    final byte[] bytes;
    final boolean xml;
    final boolean packaged;
    IBaseResource parsed;

    Entry(String origin, String type, byte[] bytes, boolean xml, boolean packaged) {
      this.origin = origin;
      this.type = type;
      this.bytes = bytes;
      this.xml = xml;
      this.packaged = packaged;
    }
  }

  private record Header(String type, String url, String version) {}

  private final FhirContext context;
  private final Map<String, Map<String, Entry>> byType = new HashMap<>();
  private final Map<String, byte[]> binaries = new HashMap<>();
  private final Set<String> ownBases = new TreeSet<>();
  private final List<String> faults = new ArrayList<>();

  Content(FhirContext context) {
    this.context = context;
  }

  /** What could not be loaded, one line each: the origin and the reason. */
  List<String> faults() {
    return faults;
  }

  /** How many URLs are held, versions not counted. */
  int size() {
    return byType.values().stream()
        .mapToInt(entries -> (int) entries.keySet().stream().filter(key -> !key.contains("|")).count())
        .sum();
  }

  void load(Path path) throws IOException {
    if (Files.isDirectory(path)) {
      try (Stream<Path> files = Files.walk(path)) {
        for (Path file : files.filter(Files::isRegularFile).sorted(Comparator.naturalOrder()).toList()) {
          String name = file.getFileName().toString();
          if (name.endsWith(".json") || name.endsWith(".xml")) {
            loadFile(file);
          }
        }
      }
    } else if (path.toString().endsWith(".tgz")) {
      loadPackage(path);
    } else {
      loadFile(path);
    }
  }

  private void loadFile(Path file) throws IOException {
    add(file.toString(), Files.readAllBytes(file), file.toString().endsWith(".xml"), false);
  }

  private void loadPackage(Path path) throws IOException {
    try (InputStream file = Files.newInputStream(path);
        TarArchiveInputStream tar = new TarArchiveInputStream(new GzipCompressorInputStream(file))) {
      for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
        String name = entry.getName();
        boolean resource = name.matches("package/[A-Z][A-Za-z]+-[^/]+\\.json");
        if (resource) {
          add(path.getFileName() + ":" + name, tar.readAllBytes(), false, true);
        } else if (name.endsWith(".json") && name.contains("/xver-paths-")) {
          binaries.put(name.substring(name.lastIndexOf('/') + 1), tar.readAllBytes());
        }
      }
    }
  }

  private void add(String origin, byte[] bytes, boolean xml, boolean packaged) {
    Header header;
    IBaseResource parsed = null;
    try {
      if (xml) {
        parsed = parse(bytes, true);
        header =
            parsed instanceof MetadataResource canonical
                ? new Header(canonical.fhirType(), canonical.getUrl(), canonical.getVersion())
                : new Header(null, null, null);
      } else {
        header = readHeader(bytes);
      }
    } catch (Exception e) {
      faults.add(origin + ": " + e.getMessage());
      return;
    }
    if (header.type == null || header.url == null) {
      return; // not a canonical resource, so nothing that another resource could name
    }
    Entry entry = new Entry(origin, header.type, bytes, xml, packaged);
    entry.parsed = parsed;
    put(header.url, entry);
    if (header.version != null) {
      put(header.url + "|" + header.version, entry);
    }
    int end = header.url.lastIndexOf("/" + header.type + "/");
    if (!packaged && end > 0) {
      ownBases.add(header.url.substring(0, end + 1));
    }
  }

  private void put(String key, Entry entry) {
    Map<String, Entry> entries = byType.computeIfAbsent(entry.type, type -> new HashMap<>());
    Entry other = entries.get(key);
    if (other == null || (other.packaged && !entry.packaged)) {
      entries.put(key, entry);
    } else if (!other.packaged && !entry.packaged && key.contains("|")) {
      faults.add(entry.origin + ": " + key + " is also in " + other.origin);
    }
  }

  /** Reads the top level of a JSON object only as far as type, URL and version. */
  private static Header readHeader(byte[] bytes) throws IOException {
    String type = null;
    String url = null;
    String version = null;
    try (JsonReader reader =
        new JsonReader(new InputStreamReader(new ByteArrayInputStream(bytes), StandardCharsets.UTF_8))) {
      if (reader.peek() != JsonToken.BEGIN_OBJECT) {
        return new Header(null, null, null);
      }
      reader.beginObject();
      while (reader.hasNext()) {
        String name = reader.nextName();
        boolean text = reader.peek() == JsonToken.STRING;
        if (text && name.equals("resourceType")) {
          type = reader.nextString();
        } else if (text && name.equals("url")) {
          url = reader.nextString();
        } else if (text && name.equals("version")) {
          version = reader.nextString();
        } else {
          reader.skipValue();
        }
      }
    }
    return new Header(type, url, version);
  }

  private IBaseResource parse(byte[] bytes, boolean xml) {
    String text = new String(bytes, StandardCharsets.UTF_8);
    return (xml ? context.newXmlParser() : context.newJsonParser()).parseResource(text);
  }

  private IBaseResource find(String type, String canonical) {
    if (canonical == null) {
      return null; // asked for by the validator where a coding has no system
    }
    Entry entry = byType.getOrDefault(type, Map.of()).get(withoutFragment(canonical));
    if (entry == null) {
      return null;
    }
    synchronized (entry) {
      if (entry.parsed == null) {
        entry.parsed = parse(entry.bytes, entry.xml);
      }
      return entry.parsed;
    }
  }

  private static String withoutFragment(String canonical) {
    int hash = canonical.indexOf('#');
    return hash > 0 ? canonical.substring(0, hash) : canonical;
  }

  /** The profiles and extensions that came from directories and files, packages left out. */
  List<StructureDefinition> ownProfiles() {
    return byType.getOrDefault("StructureDefinition", Map.of()).entrySet().stream()
        .filter(held -> !held.getKey().contains("|") && !held.getValue().packaged)
        .map(held -> (StructureDefinition) find("StructureDefinition", held.getKey()))
        .toList();
  }

  /** Whether a resource of any type has this URL. */
  boolean holds(String canonical) {
    String key = withoutFragment(canonical);
    return byType.values().stream().anyMatch(entries -> entries.containsKey(key));
  }

  /** Whether the URL lies under a base whose content was loaded, so that it ought to be among it. */
  boolean oughtToHold(String canonical) {
    return ownBases.stream()
        .anyMatch(
            base ->
                canonical.startsWith(base)
                    && byType.keySet().stream().anyMatch(type -> canonical.startsWith(base + type + "/")));
  }

  @Override
  public FhirContext getFhirContext() {
    return context;
  }

  @Override
  public String getName() {
    return "loaded content";
  }

  @Override
  public IBaseResource fetchCodeSystem(String url) {
    return find("CodeSystem", url);
  }

  @Override
  public IBaseResource fetchValueSet(String url) {
    return find("ValueSet", url);
  }

  @Override
  public IBaseResource fetchStructureDefinition(String url) {
    return find("StructureDefinition", url);
  }

  @Override
  public <T extends IBaseResource> T fetchResource(Class<T> type, String url) {
    if (type != null) {
      return type.cast(find(context.getResourceType(type), url));
    }
    for (String each : new LinkedHashSet<>(byType.keySet())) {
      @SuppressWarnings("unchecked")
      T found = (T) find(each, url);
      if (found != null) {
        return found;
      }
    }
    return null;
  }

  /** HL7's tables of another FHIR version's elements, from which extensions that carry them are defined. */
  @Override
  public byte[] fetchBinary(String name) {
    return binaries.get(name);
  }

  @Override
  public boolean isCodeSystemSupported(ValidationSupportContext support, String url) {
    return find("CodeSystem", url) instanceof CodeSystem system
        && system.getContent() != CodeSystem.CodeSystemContentMode.NOTPRESENT;
  }

  @Override
  public boolean isValueSetSupported(ValidationSupportContext support, String url) {
    return find("ValueSet", url) instanceof ValueSet;
  }
}

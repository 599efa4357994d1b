import Storages
import StoragesHTTP

/// The name of a region: a label of a host name, because it becomes one.
struct Region: Hashable, Sendable, CustomStringConvertible {
    static let usEast1 = Region(known: "us-east-1")
    /// The one region of services without regions.
    static let auto = Region(known: "auto")

    let name: String

    private init(known name: String) {
        self.name = name
    }

    /// Creates a region from a name of letters, digits and inner hyphens, at most 63, that is not a number.
    ///
    /// - Parameters:
    ///   - name: The name; letters become lower-case.
    ///   - origin: The source of the name, for the message.
    /// - Throws: ``StorageError`` with code `invalidConfiguration`.
    init(_ name: String, from origin: String) throws(StorageError) {
        guard let region = Region(name) else {
            let problem = name.isEmpty ? "is empty" : "is \(StorageError.quoted(name)), which is no name of a region"
            throw StorageError(
                .invalidConfiguration,
                "The region from \(origin) \(problem). Give one such as \"eu-west-1\" in the option region; \"auto\" "
                    + "or \"us-east-1\" where the service has none."
            )
        }
        self = region
    }

    /// Creates a region from a name as ``init(_:from:)`` does; `nil` for any other.
    init?(_ name: String) {
        guard Region.isName(name) else { return nil }
        // Amazon's global endpoint is the one of its oldest region, which is what is signed.
        self.name = name.lowercased() == "aws-global" ? "us-east-1" : name.lowercased()
    }

    private static func isName(_ name: String) -> Bool {
        let bytes = Array(name.utf8)
        guard (1...63).contains(bytes.count), bytes.first != UInt8(ascii: "-"), bytes.last != UInt8(ascii: "-") else {
            return false
        }
        return bytes.allSatisfy { HostName.isAlphanumeric($0) || $0 == UInt8(ascii: "-") }
            && !bytes.allSatisfy { $0 >= 0x30 && $0 <= 0x39 }
    }

    var description: String { name }

    /// Returns the first region that is configured by: the option, `AWS_REGION`, `AWS_DEFAULT_REGION`, the profile, the
    /// endpoint's host, the service's default.
    ///
    /// Empty variables count as absent. An empty option is refused.
    static func resolve(
        option: String?,
        environment: [String: String],
        profile: String?,
        endpoint: EndpointAddress?,
        service: EndpointProfile
    ) throws(StorageError) -> Region {
        if let option { return try Region(option, from: "the option region") }
        if let region = try configured(environment: environment, profile: profile) { return region }
        if let endpoint, let region = EndpointPattern.region(inHost: endpoint.host) { return region }
        return service.defaultRegion
    }

    /// Returns the region of `AWS_REGION`, `AWS_DEFAULT_REGION` or the profile; `nil` when none is set.
    static func configured(environment: [String: String], profile: String?) throws(StorageError) -> Region? {
        for variable in ["AWS_REGION", "AWS_DEFAULT_REGION"] {
            if let value = environment[variable], !value.isEmpty { return try Region(value, from: variable) }
        }
        guard let profile, !profile.isEmpty else { return nil }
        return try Region(profile, from: "the profile")
    }
}

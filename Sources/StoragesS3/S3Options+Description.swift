import Logging
import StoragesHTTP

extension S3Options: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// A text without the options, some of which are secrets.
    public var description: String { "S3Options(…)" }
    /// As ``description``.
    public var debugDescription: String { description }
    /// A mirror of all options, which shows of secret ones only whether they are set.
    public var customMirror: Mirror {
        // In two steps, because one literal of them all takes the compiler long.
        let access: [(label: String?, value: Any)] = [
            ("sessionToken", sessionToken.masked),
            ("profile", profile as Any),
            ("loadsProfiles", loadsProfiles),
            // A provider of an application shows what it likes.
            ("credentialProvider", credentialProvider.masked),
            ("assumedRole", assumedRole as Any),
            ("stsEndpointURL", stsEndpointURL as Any),
            ("instanceMetadata", instanceMetadata),
            ("isAnonymous", isAnonymous),
            ("server", server),
            ("addressingStyle", addressingStyle),
            ("usesDualStack", usesDualStack),
            ("usesAccelerate", usesAccelerate),
            ("usesFIPS", usesFIPS),
            ("publicEndpointURL", publicEndpointURL as Any),
            ("customDomainSigns", customDomainSigns),
            ("urlLifetime", urlLifetime),
            ("urlQuantum", urlQuantum as Any),
            ("cloudFront", cloudFront as Any),
        ]
        let transfer: [(label: String?, value: Any)] = [
            ("objectParameters", objectParameters),
            ("objectParametersForName", objectParametersForName.masked),
            ("metadataEncoding", metadataEncoding),
            ("compression", compression as Any),
            ("namePolicy", namePolicy),
            ("integrity", integrity),
            ("payloadSigning", payloadSigning),
            ("transfers", transfers),
            ("retries", retries),
            ("maxConnections", maxConnections),
            ("connectTimeout", connectTimeout),
            ("stallTimeout", stallTimeout),
            ("idleConnectionAge", idleConnectionAge as Any),
            ("tls", tls),
            // Its URL may have a password in it.
            ("proxy", proxy.masked),
            ("noProxy", noProxy as Any),
            ("defaultHeaders", defaultHeaders.mapValues { _ in "…" }),
            ("userAgent", userAgent),
            ("logger", logger.label),
        ]
        return Mirror(self, children: access + transfer, displayStyle: .struct)
    }
}

import Storages
import StoragesHTTP

/// The information of a response about the region that a bucket is in.
enum RegionRedirect: Hashable, Sendable {
    /// No information: the response is about something else.
    case none
    /// The request is to be made again, once, with ``Addressing/moved(to:)``.
    case move(Region)
    /// The region is wrong, and the response does not say which is right: HEAD of the bucket does, in
    /// `x-amz-bucket-region`.
    case askBucket

    /// Reads a response.
    ///
    /// Nothing of it is followed: at most the name of a region is taken, after it has been checked.
    ///
    /// - Parameters:
    ///   - status: The status code of the response.
    ///   - headers: The headers of the response.
    ///   - error: The body of the response; empty for HEAD.
    ///   - addressing: The address that the request went to.
    /// - Throws: ``StorageError`` with code `invalidConfiguration` for names that are none, and for redirects of
    ///   servers other than Amazon's, whose target is unknown.
    init(
        status: Int,
        headers: HTTPHeaders,
        error: S3ErrorDocument,
        addressing: Addressing
    ) throws(StorageError) {
        let isRedirect = [301, 302, 303, 307, 308].contains(status)
        let isComplaint = status == 400 && error.code.map { RegionRedirect.codes.contains($0) } == true
        // HEAD has no body, hence no code.
        let isMute = status == 400 && error == S3ErrorDocument() && addressing.isAWS
        guard isRedirect || isComplaint || isMute else {
            self = .none
            return
        }
        if isRedirect, !addressing.isAWS { throw RegionRedirect.leadsAway(headers, error) }
        if let name = headers["x-amz-bucket-region"] ?? error.region {
            let region = try Region(name, from: "the server's response")
            self = region == addressing.region ? .none : .move(region)
            if self != .none || !isRedirect { return }
        }
        if isRedirect, let location = headers["Location"] ?? error.endpoint {
            let region = try RegionRedirect.region(ofLocation: location, addressing: addressing)
            if let region, region != addressing.region {
                self = .move(region)
                return
            }
        }
        // A redirect to where the request has been is of no use; without a name, the bucket can still be asked.
        self = addressing.isAWS && headers["x-amz-bucket-region"] == nil ? .askBucket : .none
    }

    private static let codes: Set<S3ErrorCode> = [
        .authorizationHeaderMalformed, .authorizationQueryParametersError, .illegalLocationConstraintException,
        .permanentRedirect, .temporaryRedirect, .invalidRegion, .incorrectEndpoint,
    ]

    /// Returns the region that the host of a location names.
    private static func region(ofLocation location: String, addressing: Addressing) throws(StorageError) -> Region? {
        guard let host = host(ofURL: location), let domain = addressing.partitionDomain,
            AWSPartition.domain(ofHost: host) == domain
        else {
            throw StorageError(
                .invalidConfiguration,
                "The server redirects to \(quotedHost(location)), which is not Amazon's. It was not followed. Check "
                    + "the region, and what stands between this machine and S3."
            )
        }
        return AWSHost(host)?.region
    }

    private static func leadsAway(_ headers: HTTPHeaders, _ error: S3ErrorDocument) -> StorageError {
        let target = (headers["Location"] ?? error.endpoint).map(quotedHost) ?? "an unnamed place"
        return StorageError(
            .invalidConfiguration,
            "The server redirects to \(target), and redirects are not followed. Give the right host in the option "
                + "endpointURL, and check useSSL and region."
        )
    }

    /// Returns the host of a URL, or of what is a host already, in lower case; `nil` when there is more than a host and
    /// a port.
    private static func host(ofURL url: String) -> String? {
        let rest = url.firstRange(of: "://").map { url[$0.upperBound...] } ?? url[...]
        let authority = rest.prefix { !"/?#\\".contains($0) }
        let host = authority.prefix { $0 != ":" }.lowercased()
        return HostName.isValid(host) && !authority.contains("@") ? host : nil
    }

    /// Returns scheme and host only, quoted: the rest may hold a signature.
    private static func quotedHost(_ url: String) -> String {
        guard let separator = url.firstRange(of: "://") else {
            return StorageError.quoted(String(url.prefix { !"/?#\\@".contains($0) }))
        }
        let authority = url[separator.upperBound...].prefix { !"/?#\\".contains($0) }
        let host = authority.split(separator: "@").last.map(String.init) ?? ""
        return StorageError.quoted(url[..<separator.upperBound] + host)
    }
}

import Foundation
import Storages

/// The conditions of a signed URL of CloudFront.
struct CloudFrontPolicy: Sendable {
    /// The URL, which may contain the wildcards `*` and `?`; `nil` for just the URL that is signed.
    var resource: String?
    /// The end of the validity; down to the second.
    var dateLessThan: Date
    /// The beginning of the validity; down to the second.
    var dateGreaterThan: Date?
    /// The IPv4 address of the clients, or a range such as `192.0.2.0/24`.
    var ipAddress: String?

    init(until dateLessThan: Date, from dateGreaterThan: Date? = nil, ipAddress: String? = nil, resource: String? = nil)
    {
        self.resource = resource
        self.dateLessThan = dateLessThan
        self.dateGreaterThan = dateGreaterThan
        self.ipAddress = ipAddress
    }

    /// A Boolean value that indicates whether CloudFront can put the policy together from the URL and `Expires`.
    var isCanned: Bool { resource == nil && dateGreaterThan == nil && ipAddress == nil }

    /// Returns the JSON that is signed: without blanks, in the order in which CloudFront makes up a canned policy.
    func json(for url: String) -> String {
        var json = JSONText()
        json.append("{\"Statement\":[{\"Resource\":")
        json.append(string: resource ?? url)
        json.append(",\"Condition\":{\"DateLessThan\":{\"AWS:EpochTime\":\(AmazonDate(dateLessThan).secondsSince1970)}")
        if let ipAddress {
            json.append(",\"IpAddress\":{\"AWS:SourceIp\":")
            json.append(string: ipAddress.utf8.contains(UInt8(ascii: "/")) ? ipAddress : ipAddress + "/32")
            json.append("}")
        }
        if let dateGreaterThan {
            json.append(",\"DateGreaterThan\":{\"AWS:EpochTime\":\(AmazonDate(dateGreaterThan).secondsSince1970)}")
        }
        json.append("}}]}")
        return json.text
    }
}
